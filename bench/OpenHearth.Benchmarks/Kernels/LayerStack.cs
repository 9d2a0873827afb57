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

    public void Dispose() => _bytes.Dispose();

    // Random bits with scales that are numbers: bytes of which no two make an F16 above 1.
    private void Fill(TensorType type)
    {
        var random = new Random(2);
        var block = new byte[LayerBytes];
        random.NextBytes(block);
        for (var i = 0; i < block.Length; i++)
            block[i] &= 0xBB;
        if (type == TensorType.F32)
        {
            for (var i = 0; i < block.Length; i += 4)
                BitConverter.TryWriteBytes(block.AsSpan(i), (float)random.NextDouble());
        }
        for (var i = 0; i < Layers; i++)
            block.CopyTo(_bytes.Slice(i * LayerBytes, block.Length));
    }
}
