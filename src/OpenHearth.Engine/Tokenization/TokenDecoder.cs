namespace OpenHearth.Engine.Tokenization;

/// <summary>What ids become: the bytes of each, one after the other. Immutable, thread-safe.</summary>
/// <param name="bytes">The bytes of all tokens.</param>
/// <param name="ends">Token i is bytes [ends[i - 1], ends[i]).</param>
/// <param name="stripsBlank">One blank at the start of the text is left out (a tokenizer that puts one there).</param>
internal sealed class TokenDecoder(byte[] bytes, int[] ends, bool stripsBlank)
{
    /// <summary>True where one blank at the start of a text is left out.</summary>
    public bool StripsBlank => stripsBlank;

    /// <summary>The bytes of a token.</summary>
    public ReadOnlySpan<byte> Bytes(int id)
    {
        var start = id == 0 ? 0 : ends[id - 1];
        return bytes.AsSpan(start, ends[id] - start);
    }
}
