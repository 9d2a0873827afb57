using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Graph;

/// <summary>
/// The buffers of all nodes: one piece of memory for each axis, in which a node's place is its offset times the number
/// of rows that there is room for. Offsets are the plan's; memory grows to the largest step and stays.
/// </summary>
internal sealed class Arena(BufferPlacement placement) : IDisposable
{
    private readonly Plane _tokens = new(placement.TokenUnit);
    private readonly Plane _outputs = new(placement.OutputUnit);

    /// <summary>Bytes held.</summary>
    public long Bytes => (_tokens.Buffer.Length + _outputs.Buffer.Length) * sizeof(float);

    /// <summary>Makes room; what was in the buffers is lost if they grow.</summary>
    public void Reserve(int tokens, int outputs)
    {
        _tokens.Reserve(tokens);
        _outputs.Reserve(outputs);
    }

    /// <summary>[rows, width] the buffer of a node</summary>
    public Span<float> Values(Node node, int rows) => Slice(node, placement.Offsets[node.Id], checked(rows * node.Width));

    /// <summary>[rows, scratch width] what a node works in; anything may be in it</summary>
    public Span<float> Scratch(Node node, int rows) => Slice(node, placement.ScratchOffsets[node.Id], checked(rows * node.ScratchWidth));

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _tokens.Dispose();
        _outputs.Dispose();
    }

    private Span<float> Slice(Node node, int offset, int length)
    {
        var plane = node.Rows == RowAxis.Tokens ? _tokens : _outputs;
        return plane.Buffer.Slice((long)offset * plane.Rows, length);
    }

    private sealed class Plane(int unit) : IDisposable
    {
        public NativeBuffer<float> Buffer { get; private set; } = new(0);

        public int Rows { get; private set; }

        public void Reserve(int rows)
        {
            if (rows <= Rows)
                return;
            Buffer.Dispose();
            Rows = BufferPlacement.Rows(rows);
            Buffer = new NativeBuffer<float>((long)unit * Rows);
        }

        public void Dispose() => Buffer.Dispose();
    }
}
