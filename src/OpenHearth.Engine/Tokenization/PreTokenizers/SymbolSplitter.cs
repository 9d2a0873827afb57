using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Sets the user-defined pieces of a SentencePiece vocabulary apart, the longest first.</summary>
internal sealed class SymbolSplitter(ByteTrie symbols) : PatternSplitter
{
    /// <summary>The user-defined pieces of a vocabulary, or null where it has none.</summary>
    public static ByteTrie? UserDefined(Vocabulary vocabulary)
    {
        ByteTrie? symbols = null;
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) == TokenKind.UserDefined)
                (symbols ??= new ByteTrie()).Add(vocabulary.Piece(id), id);
        }
        return symbols;
    }

    protected override int Match(ReadOnlySpan<byte> text) => symbols.Longest(text, out _);
}
