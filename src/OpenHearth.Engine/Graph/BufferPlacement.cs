using System.Numerics;

namespace OpenHearth.Engine.Graph;

/// <summary>Where values lie: offsets and sizes in floats for one row of an axis.</summary>
/// <param name="Offsets">By node id.</param>
/// <param name="ScratchOffsets">By node id, for those that need memory to work in.</param>
/// <param name="TokenUnit">Floats that one token takes.</param>
/// <param name="OutputUnit">Floats that one output takes.</param>
internal sealed record BufferPlacement(int[] Offsets, int[] ScratchOffsets, int TokenUnit, int OutputUnit)
{
    /// <summary>Rows that an arena makes room for when so many are needed.</summary>
    public static int Rows(int needed) => (int)BitOperations.RoundUpToPowerOf2((uint)needed);

    /// <summary>Bytes of an arena for so many rows.</summary>
    public long BytesFor(int tokens, int outputs) => sizeof(float) * (((long)TokenUnit * Rows(tokens)) + ((long)OutputUnit * Rows(outputs)));

    /// <summary>Gives every written node a place that no other value needs while it lives.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="order">Instructions in the order in which they run.</param>
    /// <param name="repeatedFrom">From this one on they run several times a step, so that what they read from before must stay.</param>
    public static BufferPlacement Of(ModelGraph graph, Instruction[] order, int repeatedFrom)
    {
        var lastUse = LastUses(graph, order, repeatedFrom);
        var offsets = new int[graph.Nodes.Count];
        var scratch = new int[graph.Nodes.Count];
        var tokens = new FirstFit();
        var outputs = new FirstFit();
        FirstFit Space(Node node) => node.Rows == RowAxis.Tokens ? tokens : outputs;
        for (var i = 0; i < order.Length; i++)
        {
            var instruction = order[i];
            var dying = instruction.Reads.Distinct().Where(read => lastUse[read.Id] == i).ToList();
            foreach (var written in instruction.Writes)
            {
                var heir = dying.Find(read => read.Width == written.Width && read.Rows == written.Rows && instruction.MayOverwrite(written, read));
                if (heir is null)
                {
                    offsets[written.Id] = Space(written).Take(written.Width);
                    continue;
                }
                offsets[written.Id] = offsets[heir.Id];
                dying.Remove(heir);
            }
            foreach (var written in instruction.Writes.Where(written => written.ScratchWidth > 0))
            {
                scratch[written.Id] = Space(written).Take(written.ScratchWidth);
                Space(written).Return(scratch[written.Id], written.ScratchWidth);
            }
            foreach (var node in dying.Concat(instruction.Writes.Where(written => lastUse[written.Id] <= i)))
                Space(node).Return(offsets[node.Id], node.Width);
        }
        return new BufferPlacement(offsets, scratch, tokens.Size, outputs.Size);
    }

    private static int[] LastUses(ModelGraph graph, Instruction[] order, int repeatedFrom)
    {
        var lastUse = new int[graph.Nodes.Count];
        Array.Fill(lastUse, -1);
        for (var i = 0; i < order.Length; i++)
        {
            foreach (var read in order[i].Reads)
                lastUse[read.Id] = i >= repeatedFrom && read.Rows == RowAxis.Tokens ? order.Length : i;
        }
        lastUse[graph.Output.Id] = order.Length;
        return lastUse;
    }

    /// <summary>A line of memory in which each taker gets the first gap that is wide enough.</summary>
    private sealed class FirstFit
    {
        private readonly SortedList<int, int> _gaps = []; // start, length

        public int Size { get; private set; }

        public int Take(int width)
        {
            var length = Rounded(width);
            foreach (var (start, gap) in _gaps)
            {
                if (gap < length)
                    continue;
                _gaps.Remove(start);
                if (gap > length)
                    _gaps.Add(start + length, gap - length);
                return start;
            }
            var last = _gaps.Count - 1;
            var end = Size;
            if (last >= 0 && _gaps.GetKeyAtIndex(last) + _gaps.GetValueAtIndex(last) == Size)
            {
                end = _gaps.GetKeyAtIndex(last);
                _gaps.RemoveAt(last);
            }
            Size = checked(end + length);
            return end;
        }

        public void Return(int start, int width)
        {
            _gaps.Add(start, Rounded(width));
            var i = _gaps.IndexOfKey(start);
            if (i + 1 < _gaps.Count && start + _gaps.GetValueAtIndex(i) == _gaps.GetKeyAtIndex(i + 1))
            {
                _gaps[start] += _gaps.GetValueAtIndex(i + 1);
                _gaps.RemoveAt(i + 1);
            }
            if (i > 0 && _gaps.GetKeyAtIndex(i - 1) + _gaps.GetValueAtIndex(i - 1) == start)
            {
                _gaps[_gaps.GetKeyAtIndex(i - 1)] += _gaps[start];
                _gaps.RemoveAt(i);
            }
        }

        // Rows of 16 floats keep every buffer aligned to a cache line.
        private static int Rounded(int width) => checked((width + 15) & ~15);
    }
}
