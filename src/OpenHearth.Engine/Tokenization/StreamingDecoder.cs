using System.Buffers;
using System.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>
/// Turns ids into text one at a time and gives out whole characters only: a character that is not complete is held
/// back, bytes that never form one become U+FFFD, one for each maximal invalid subpart. Not thread-safe.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly List<byte> _held = [];
    private bool _atStart = true;

    internal StreamingDecoder(Tokenizer tokenizer, bool skipSpecial) => (_tokenizer, _skipSpecial) = (tokenizer, skipSpecial);

    /// <summary>Takes the next id and gives what may be shown now.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Append(int id)
    {
        var bytes = _tokenizer.DecodedBytes(id, _skipSpecial, ref _atStart);
        if (bytes.Length == 0)
            return "";
        _held.AddRange(bytes);
        return Take(all: false);
    }

    /// <summary>Ends the text and gives what was held back. The decoder is as new then.</summary>
    public string Flush()
    {
        _atStart = true;
        return Take(all: true);
    }

    private string Take(bool all)
    {
        var held = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held);
        var length = held.Length;
        if (!all)
        {
            // Only the last three bytes can belong to a character that more bytes would complete.
            for (var back = 1; back <= Math.Min(3, held.Length); back++)
            {
                if (Rune.DecodeFromUtf8(held[^back..], out _, out _) == OperationStatus.NeedMoreData || IsHalfSurrogate(held[^back..]))
                    length = held.Length - back;
            }
        }
        var text = Encoding.UTF8.GetString(held[..length]);
        _held.RemoveRange(0, length);
        return text;
    }

    // Two bytes of a surrogate, which the third will make invalid: shown with it, as other decoders do.
    private static bool IsHalfSurrogate(ReadOnlySpan<byte> tail) => tail is [0xED, >= 0xA0 and <= 0xBF];
}
