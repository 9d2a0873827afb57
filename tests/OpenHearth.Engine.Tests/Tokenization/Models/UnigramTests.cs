namespace OpenHearth.Engine.Tests.Tokenization.Models;

public class UnigramTests
{
    [Fact]
    public void Encode_RandomScores_FindsTheBestOfAllCuts()
    {
        var random = new Random(11);
        string[] texts = ["a", "b", "ab", "ba", "aba", "bb", "aab", "▁", "▁a", "▁ab"];
        for (var round = 0; round < 200; round++)
        {
            var pieces = texts.Select(t => (t, -Math.Round(random.NextDouble() * 9, 1))).ToArray();
            var word = string.Concat(Enumerable.Range(0, random.Next(1, 11)).Select(_ => (char)random.Next('a', 'c')));
            var ids = SmallVocabularies.Unigram(pieces).Encode(word);
            Assert.Equal("▁" + word, string.Concat(ids.Select(id => pieces[id - 1].t)));
            Assert.Equal(Best("▁" + word, pieces), ids.Sum(id => pieces[id - 1].Item2), 3);
        }
    }

    [Fact]
    public void Encode_UnknownCharactersInARow_AreOneToken() =>
        Assert.Equal([2, 0, 1], SmallVocabularies.Unigram(("a", -1), ("▁", -1)).Encode("€¥a"));

    private static double Best(string text, (string Piece, double Score)[] pieces) => text.Length == 0 ? 0
        : pieces.Where(p => text.StartsWith(p.Piece, StringComparison.Ordinal)).Max(p => p.Score + Best(text[p.Piece.Length..], pieces));
}
