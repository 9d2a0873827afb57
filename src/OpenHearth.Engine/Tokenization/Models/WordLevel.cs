using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>A whole piece is one token, or the unknown one (-1: it is left out). Thread-safe.</summary>
internal sealed class WordLevel(Vocabulary vocabulary, int unknown) : TokenModel
{
    public override void Encode(Workspace work, TextBuffer text, int start, int end)
    {
        var id = vocabulary.Find(text.Span[start..end]);
        if (id < 0)
            id = unknown;
        if (id >= 0)
            work.Tokens.Add(new Token(id, end - start), text, start);
    }
}
