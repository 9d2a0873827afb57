using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Tests.Sampling;

public sealed class SelectionTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 9)]
    [InlineData(37, 3)]
    [InlineData(1000, 1)]
    [InlineData(1000, 40)]
    [InlineData(1000, 999)]
    [InlineData(4099, 1024)]
    [InlineData(20_011, 40)]
    [InlineData(20_011, 8192)]
    public void Best_OfAnyShape_IsTheStableSort(int length, int count)
    {
        var selection = new Selection();
        foreach (var scores in Shapes(length))
        {
            var expected = Enumerable.Range(0, length).OrderByDescending(i => scores[i]).Take(count);
            Assert.Equal(expected, selection.Best(scores, count).ToArray());
        }
    }

    private static IEnumerable<float[]> Shapes(int length)
    {
        var random = new Random(length);
        yield return [.. Enumerable.Range(0, length).Select(_ => (float)(20 * random.NextDouble() - 10))];
        yield return [.. Enumerable.Range(0, length).Select(_ => (float)random.Next(-3, 4))];
        yield return [.. Enumerable.Range(0, length).Select(i => (float)i)];
        yield return [.. Enumerable.Range(0, length).Select(i => -(float)i)];
        yield return [.. Enumerable.Range(0, length).Select(i => i % 2 == 0 ? 0f : -0f)];
        yield return new float[length];
        yield return [.. Enumerable.Range(0, length).Select(i => i % 3 == 0 ? float.NegativeInfinity : float.MinValue)];
    }
}
