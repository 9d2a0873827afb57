using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tests.Tokenization.Models;

public class MergeQueueTests
{
    [Fact]
    public void Merge_RandomTablesAndPieces_IsWhatTheDefinitionGives()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var symbols = random.Next(2, 6);
            var (table, pairs) = RandomMerges(random, symbols, random.Next(1, 60));
            // Both sides of the border between scanning and the heap.
            var piece = Enumerable.Range(0, random.Next(1, round % 3 == 0 ? 400 : 100)).Select(_ => random.Next(symbols)).ToArray();
            var queue = new MergeQueue();
            foreach (var id in piece)
                queue.Add(id, 1);
            queue.Merge(new MergeTable.Pairs(table));
            var got = Enumerable.Range(0, queue.Count).Select(i => queue[i]).ToArray();
            Assert.Equal(Naive(piece, pairs), got.Select(t => t.Id));
            Assert.Equal(piece.Length, got.Sum(t => t.Length));
        }
    }

    private static (MergeTable Table, List<(int Left, int Right, int Result)> Pairs) RandomMerges(Random random, int symbols, int count)
    {
        var table = new MergeTable(count);
        var pairs = new List<(int Left, int Right, int Result)>();
        for (var i = 0; i < count; i++)
        {
            var (left, right) = (random.Next(symbols + i), random.Next(symbols + i));
            table.Add(left, right, symbols + i);
            if (!pairs.Exists(p => p.Left == left && p.Right == right))
                pairs.Add((left, right, symbols + i));
        }
        return (table, pairs);
    }

    private static List<int> Naive(int[] piece, List<(int Left, int Right, int Result)> pairs)
    {
        var ids = piece.ToList();
        while (true)
        {
            var (rank, at) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                var found = pairs.FindIndex(p => p.Left == ids[i] && p.Right == ids[i + 1]);
                if (found >= 0 && found < rank)
                    (rank, at) = (found, i);
            }
            if (at < 0)
                return ids;
            ids[at] = pairs[rank].Result;
            ids.RemoveAt(at + 1);
        }
    }
}
