using System.Text;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>The text of an answer as its tokens come in: whole characters, nothing that may begin a stop text.</summary>
internal sealed class AnswerText(StreamingDecoder decoder, IReadOnlyList<string> stops, Action<string>? onText)
{
    private readonly StopMatcher _matcher = new(stops);
    private readonly StringBuilder _text = new();

    /// <summary>Takes a token; false once a stop text is complete.</summary>
    public bool Append(int token)
    {
        Emit(_matcher.Append(decoder.Append(token)));
        return _matcher.Found is null;
    }

    /// <summary>Gives out what was held back, unless a stop text ended the answer; returns the whole text.</summary>
    public string Finish()
    {
        Emit(_matcher.Append(decoder.Flush()));
        Emit(_matcher.Flush());
        return _text.ToString();
    }

    private void Emit(string piece)
    {
        if (piece.Length == 0)
            return;
        _text.Append(piece);
        onText?.Invoke(piece);
    }
}
