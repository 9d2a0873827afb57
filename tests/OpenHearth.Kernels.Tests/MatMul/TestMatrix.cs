using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Kernels.Tests.MatMul;

/// <summary>A matrix of random blocks, with its values as the format's reference decodes them.</summary>
internal sealed class TestMatrix : IDisposable
{
    private readonly GuardedMemory _bytes;

    public TestMatrix(TensorType type, int rows, int columns, int seed) : this(type, rows, columns, seed, (_, largest) => largest is < 100 and > 1e-3f)
    {
    }

    /// <summary>Draws blocks until they are as wanted.</summary>
    /// <param name="type">Format.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="seed">Of the random blocks.</param>
    /// <param name="wanted">Told the row and the largest magnitude of a block, infinite where a value is no number.</param>
    public TestMatrix(TensorType type, int rows, int columns, int seed, Func<int, float, bool> wanted)
    {
        var format = BlockFormats.Get(type);
        var rowBytes = (int)TensorTypes.RowBytes(type, columns);
        _bytes = new GuardedMemory(rows * rowBytes);
        var random = new Random(seed);
        Values = new float[rows * columns];
        for (var r = 0; r < rows; r++)
        {
            var here = r;
            var row = _bytes.Span.Slice(r * rowBytes, rowBytes);
            var values = Values.AsSpan(r * columns, columns);
            for (var i = 0; i < columns; i += format.BlockSize)
                Fill(format, random, row.Slice(i / format.BlockSize * format.BlockBytes, format.BlockBytes), values.Slice(i, format.BlockSize), largest => wanted(here, largest));
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
    private static void Fill(BlockFormat format, Random random, Span<byte> block, Span<float> values, Func<float, bool> wanted)
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
            if (wanted(largest) || attempt > 10_000)
                return;
        }
    }
}
