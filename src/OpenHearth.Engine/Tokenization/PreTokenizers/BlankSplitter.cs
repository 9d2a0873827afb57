using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>
/// Cuts before each U+2581 that follows another character. Where no piece of a vocabulary holds such a place the tokens
/// stay the same, and words can be remembered.
/// </summary>
internal sealed class BlankSplitter : Splitter
{
    /// <summary>True where no piece of the vocabulary crosses a cut.</summary>
    public static bool Suits(Vocabulary vocabulary)
    {
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused
                && NextCut(vocabulary.Piece(id), 0) < vocabulary.Piece(id).Length)
            {
                return false;
            }
        }
        return true;
    }

    public override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        text = text[..end];
        for (var at = start; at < end;)
            cuts.Add(at = NextCut(text, at));
    }

    private static int NextCut(ReadOnlySpan<byte> text, int at)
    {
        while (text[at..].StartsWith(CodePoints.Blank))
            at += CodePoints.Blank.Length;
        var next = text[at..].IndexOf(CodePoints.Blank);
        return next < 0 ? text.Length : at + next;
    }
}
