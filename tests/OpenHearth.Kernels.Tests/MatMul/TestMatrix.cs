using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Kernels.Tests.MatMul;

/// <summary>A matrix of random blocks, with its values as the format's reference decodes them.</summary>
internal sealed class TestMatrix : IDisposable
{
    private readonly GuardedMemory _bytes;

    public TestMatrix(TensorType type, int rows, int columns, int seed)
    {
        var format = BlockFormats.Get(type);
        var rowBytes = (int)TensorTypes.RowBytes(type, columns);
        _bytes = new GuardedMemory(rows * rowBytes);
        var random = new Random(seed);
        Values = new float[rows * columns];
        for (var r = 0; r < rows; r++)
        {
            var row = _bytes.Span.Slice(r * rowBytes, rowBytes);
            var values = Values.AsSpan(r * columns, columns);
            for (var i = 0; i < columns; i += format.BlockSize)
                Fill(format, random, row.Slice(i / format.BlockSize * format.BlockBytes, format.BlockBytes), values.Slice(i, format.BlockSize));
        }
        Matrix = new Matrix(type, rows, columns, _bytes.Region);
    }

    public Matrix Matrix { get; }

    /// <summary>[rows, columns]</summary>
    public float[] Values { get; }

    public int Rows => Matrix.Rows;

    public int Columns => Matrix.Columns;

    /// <summary>Block sizes differ, so a width for each format: odd in blocks where it can be.</summary>
    public static int Width(TensorType type, int blocks) => TensorTypes.BlockSize(type) * blocks;

    public void Dispose() => _bytes.Dispose();

    // Random bytes make every code and sign occur; blocks whose scales would be too large or no numbers are drawn again.
    private static void Fill(BlockFormat format, Random random, Span<byte> block, Span<float> values)
    {
        if (format.BlockSize == 1)
        {
            Span<float> value = [(float)(random.NextDouble() * 2 - 1)];
            format.Encode(value, block);
            format.DecodeScalar(block, values);
            return;
        }
        for (var attempt = 0; ; attempt++)
        {
            random.NextBytes(block);
            format.DecodeScalar(block, values);
            var largest = 0f;
            foreach (var value in values)
                largest = float.IsFinite(value) ? MathF.Max(largest, MathF.Abs(value)) : float.PositiveInfinity;
            if (largest is < 100 and > 1e-3f || attempt > 10_000)
                return;
        }
    }
}
