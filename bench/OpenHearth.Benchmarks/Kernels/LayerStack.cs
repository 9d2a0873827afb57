using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Benchmarks.Kernels;

/// <summary>Matrices of TinyLlama-1.1B's gate projection (5632 × 2048), as many as fill more memory than any cache holds.</summary>
internal sealed class LayerStack : IDisposable
{
    private const int Rows = 5632;
    private const int Columns = 2048;

    private readonly NativeBuffer<byte> _bytes;
    private readonly Matrix[] _matrices;
    private int _next;
    private readonly float[] _x = new float[512 * Columns];
    private readonly float[] _y = new float[512 * Rows];

    public LayerStack(TensorType type, long bytes)
    {
        LayerBytes = TensorTypes.TensorBytes(type, Columns, Rows);
        Layers = (int)Math.Max(1, bytes / LayerBytes);
        _bytes = new NativeBuffer<byte>(Layers * LayerBytes);
        Fill(type);
        _matrices = [.. Enumerable.Range(0, Layers).Select(i => new Matrix(type, Rows, Columns, MemoryRegion.Of(_bytes).Slice(i * LayerBytes, LayerBytes)))];
        var random = new Random(1);
        for (var i = 0; i < _x.Length; i++)
            _x[i] = (float)random.NextDouble() - 0.5f;
    }

    public int Layers { get; }

    public long LayerBytes { get; }

    public long LayerValues => (long)Rows * Columns;

    public void Multiply(ComputePool pool, int tokens, int layers, Precision precision)
    {
        for (var i = 0; i < layers; i++)
            Product.Multiply(pool, _matrices[i], _x, _y, tokens, precision);
    }

    /// <summary>One product, of another matrix than the last time.</summary>
    public void MultiplyNext(ComputePool pool, int tokens, Precision precision)
    {
        _next = (_next + 1) % Layers;
        Product.Multiply(pool, _matrices[_next], _x, _y, tokens, precision);
    }

    public void Dispose() => _bytes.Dispose();

    // Random bits with scales that are numbers: bytes of which no two make an F16 above 1. Plain numbers are drawn.
    private void Fill(TensorType type)
    {
        var random = new Random(2);
        var layer = new byte[LayerBytes];
        var format = BlockFormats.Get(type);
        if (format.BlockSize == 1)
        {
            var row = new float[Columns];
            for (var r = 0; r < Rows; r++)
            {
                for (var i = 0; i < Columns; i++)
                    row[i] = (float)random.NextDouble() - 0.5f;
                format.Encode(row, layer.AsSpan(r * (layer.Length / Rows)));
            }
        }
        else
        {
            random.NextBytes(layer);
            for (var i = 0; i < layer.Length; i++)
                layer[i] &= 0xBB;
        }
        for (var i = 0; i < Layers; i++)
            layer.CopyTo(_bytes.Slice(i * LayerBytes, layer.Length));
    }
}
