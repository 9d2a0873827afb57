namespace OpenHearth.Engine.Tokenization;

/// <summary>What ids become: the bytes of each, one after the other. Immutable, thread-safe.</summary>
/// <param name="bytes">The bytes of all tokens.</param>
/// <param name="ends">Token i is bytes [ends[i - 1], ends[i]).</param>
/// <param name="stripping">The blanks at the start of a text that are left out (a tokenizer that puts one there).</param>
internal sealed class TokenDecoder(byte[] bytes, int[] ends, BlankStripping stripping)
{
    /// <summary>The bytes of a token without the blanks that are left out at the start of a text.</summary>
    public ReadOnlySpan<byte> BytesAtStart(int id) => stripping switch
    {
        BlankStripping.None => Bytes(id),
        BlankStripping.One => Bytes(id) is [(byte)' ', .. var rest] ? rest : Bytes(id),
        _ => Bytes(id).TrimStart((byte)' '),
    };

    /// <summary>True where a token that is nothing but blanks to be left out doesn't end the start of a text.</summary>
    public bool StripsAll => stripping == BlankStripping.All;

    /// <summary>The bytes of a token.</summary>
    public ReadOnlySpan<byte> Bytes(int id)
    {
        var start = id == 0 ? 0 : ends[id - 1];
        return bytes.AsSpan(start, ends[id] - start);
    }
}
