using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tests.Tokenization.Models;

public class SentencePieceBpeTests
{
    [Fact]
    public void Encode_UnusedPiece_IsTakenApartAgain()
    {
        var tokenizer = SentencePieceFile.Load(SmallVocabularies.SentencePiece(isBpe: true,
            ("<unk>", 0, TokenKind.Unknown), ("▁", -5, TokenKind.Normal), ("a", -5, TokenKind.Normal), ("b", -5, TokenKind.Normal),
            ("ab", -1, TokenKind.Unused), ("abab", -2, TokenKind.Unused), ("ba", -3, TokenKind.Normal)));
        Assert.Equal([1, 2, 3, 2, 3], tokenizer.Encode("abab", addSpecial: false));
    }

    [Fact]
    public void Encode_UserDefinedPiece_StaysWhole()
    {
        var tokenizer = SentencePieceFile.Load(SmallVocabularies.SentencePiece(isBpe: true,
            ("<unk>", 0, TokenKind.Unknown), ("▁", -5, TokenKind.Normal), ("a", -5, TokenKind.Normal), ("b", -5, TokenKind.Normal),
            ("aa", -1, TokenKind.Normal), ("ab", 0, TokenKind.UserDefined)));
        Assert.Equal([1, 2, 5, 2], tokenizer.Encode("aaba", addSpecial: false));
    }

    [Fact]
    public void Encode_NoByteTokens_GivesTheUnknownToken()
    {
        var tokenizer = SentencePieceFile.Load(SmallVocabularies.SentencePiece(isBpe: true,
            ("<unk>", 0, TokenKind.Unknown), ("▁", -5, TokenKind.Normal), ("a", -5, TokenKind.Normal)));
        Assert.Equal([1, 2, 0, 2], tokenizer.Encode("a€¥a", addSpecial: false));
    }

    [Fact]
    public void Encode_ControlPieceInText_IsReadOnlyWhereAllowed()
    {
        var tokenizer = SentencePieceFile.Load(SmallVocabularies.SentencePiece(isBpe: true,
            ("<unk>", 0, TokenKind.Unknown), ("<s>", 0, TokenKind.Control), ("</s>", 0, TokenKind.Control), ("▁", -5, TokenKind.Normal),
            ("<", -5, TokenKind.Normal), ("s", -5, TokenKind.Normal), (">", -5, TokenKind.Normal)));
        Assert.Equal([3, 4, 5, 6], tokenizer.Encode("<s>", addSpecial: false));
        Assert.Equal([1], tokenizer.Encode("<s>", addSpecial: false, parseSpecial: true));
        Assert.Equal("s", tokenizer.Decode([1, 3, 5], skipSpecial: true));
    }
}
