using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tests.Tokenization.Models;

public class VocabularyTests
{
    [Fact]
    public void Find_RandomPieces_FindsEachAndNothingElse()
    {
        var random = new Random(3);
        var pieces = new Dictionary<string, int>();
        var builder = new VocabularyBuilder(10);
        while (builder.Count < 5000)
        {
            var piece = string.Concat(Enumerable.Range(0, random.Next(0, 20)).Select(_ => (char)random.Next('a', 'd')));
            // Of equal pieces the later counts.
            pieces[piece] = builder.Count;
            builder.Add(Encoding.UTF8.GetBytes(piece), TokenKind.Normal);
        }
        var vocabulary = builder.Build();
        foreach (var (piece, id) in pieces)
        {
            Assert.Equal(id, vocabulary.Find(Encoding.UTF8.GetBytes(piece)));
            Assert.Equal(piece, Encoding.UTF8.GetString(vocabulary.Piece(id)));
            Assert.Equal(-1, vocabulary.Find(Encoding.UTF8.GetBytes(piece + "z")));
        }
        Assert.Contains("'nothing'", Assert.Throws<ModelFormatException>(() => vocabulary.Require("nothing"u8, "field")).Message, StringComparison.Ordinal);
    }
}
