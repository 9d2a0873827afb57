using System.Numerics;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Graph;

/// <summary>
/// The buffers of all nodes: one piece of memory for each axis, in which a node's place is its offset times the number
/// of rows that there is room for. Offsets are the plan's; memory grows to the largest step and stays.
/// </summary>
internal sealed class Arena(int[] offsets, int tokenUnit, int outputUnit) : IDisposable
{
    private readonly Plane _tokens = new(tokenUnit);
    private readonly Plane _outputs = new(outputUnit);

    /// <summary>Bytes held.</summary>
    public long Bytes => (_tokens.Buffer.Length + _outputs.Buffer.Length) * sizeof(float);

    /// <summary>Makes room; what was in the buffers is lost if they grow.</summary>
    public void Reserve(int tokens, int outputs)
    {
        _tokens.Reserve(tokens);
        _outputs.Reserve(outputs);
    }

    /// <summary>[rows, width] the buffer of a node</summary>
    public Span<float> Values(Node node, int rows)
    {
        var plane = node.Rows == RowAxis.Tokens ? _tokens : _outputs;
        return plane.Buffer.Slice((long)offsets[node.Id] * plane.Rows, checked(rows * node.Width));
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _tokens.Dispose();
        _outputs.Dispose();
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
            Rows = (int)BitOperations.RoundUpToPowerOf2((uint)rows);
            Buffer = new NativeBuffer<float>((long)unit * Rows);
        }

        public void Dispose() => Buffer.Dispose();
    }
}
