using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class TokenHistoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(300)]
    public void Last_OfManyTokens_IsTheEndOfTheList(int window)
    {
        var history = new TokenHistory(window, 50);
        var random = new Random(window);
        var all = new List<int>();
        for (var i = 0; i < 1500; i++)
        {
            all.Add(random.Next(50));
            history.Add(all[^1]);
            var count = random.Next(2 * window);
            var expected = all.TakeLast(Math.Min(count, window)).ToArray();
            Assert.Equal(expected, history.Last(count).ToArray());
            Assert.Equal(expected.CountBy(token => token).Select(pair => (pair.Key, pair.Value)),
                history.Counts(count).ToArray().Select(entry => (entry.Token, entry.Count)));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(50)]
    public void Add_ATokenOutsideOfTheVocabulary_IsRefused(int token) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenHistory(0, 50).Add(token));
}
