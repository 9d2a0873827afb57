using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>Matrix products of every format: exact ones to rounding, fast ones within what rounded activations may cost.</summary>
internal static class ProductChecks
{
    private const int Rows = 37, Columns = 512;
    private const double ExactTolerance = 1e-5;
    private const double FineTolerance = 2e-4; // of |x| · |row|: activations of 16 bits
    private const double FastTolerance = 8e-3; // activations and weights of bf16; a result is about 0.04
    private const int Attempts = 200;

    public static IEnumerable<(string Kernel, double Deviation)> Run(ComputePool pool, ComputePool twin)
    {
        foreach (var format in BlockFormats.All.Where(format => Columns % format.BlockSize == 0))
        {
            using var bytes = Weights(format);
            var matrix = new Matrix(format.Type, Rows, Columns, MemoryRegion.Of(bytes));
            foreach (var tokens in new[] { 1, 4, 16, 41 })
            {
                var x = Deviation.Normal(tokens, tokens * Columns);
                var expected = Multiply(twin, matrix, x, tokens, Precision.Exact);
                var norms = Norms(matrix, x, tokens);
                yield return ($"{format.Type} product, {tokens} tokens, exact", Worst(Multiply(pool, matrix, x, tokens, Precision.Exact), expected, norms, ExactTolerance));
                yield return ($"{format.Type} product, {tokens} tokens, fine", Worst(Multiply(pool, matrix, x, tokens, Precision.Fine), expected, norms, FineTolerance));
                yield return ($"{format.Type} product, {tokens} tokens", Worst(Multiply(pool, matrix, x, tokens, Precision.Fast), expected, norms, FastTolerance));
            }
        }
    }

    private static float[] Multiply(ComputePool pool, Matrix matrix, float[] x, int tokens, Precision precision)
    {
        var y = new float[tokens * Rows];
        Product.Multiply(pool, matrix, x, y, tokens, precision);
        return y;
    }

    private static double Worst(float[] actual, float[] expected, double[] norms, double tolerance)
    {
        var worst = 0.0;
        for (var i = 0; i < actual.Length; i++)
            worst = double.MaxMagnitude(worst, Math.Abs((double)actual[i] - expected[i]) / (tolerance * norms[i] + 1e-30));
        return worst;
    }

    /// <summary>|x| · |row| for every result, [tokens, rows].</summary>
    private static double[] Norms(Matrix matrix, float[] x, int tokens)
    {
        var row = new float[Columns];
        var norms = new double[tokens * Rows];
        for (var r = 0; r < Rows; r++)
        {
            matrix.DecodeRow(r, row);
            for (var t = 0; t < tokens; t++)
                norms[(t * Rows) + r] = Norm(row) * Norm(x.AsSpan(t * Columns, Columns));
        }
        return norms;
    }

    private static double Norm(ReadOnlySpan<float> values)
    {
        var squares = 0.0;
        foreach (var value in values)
            squares += (double)value * value;
        return Math.Sqrt(squares);
    }

    /// <summary>Encoded normal numbers, or random blocks that decode to numbers of ordinary size.</summary>
    private static NativeBuffer<byte> Weights(BlockFormat format)
    {
        var blocks = Rows * Columns / format.BlockSize;
        var bytes = new NativeBuffer<byte>((long)blocks * format.BlockBytes);
        if (format is { CanEncode: true, NeedsImportance: false })
        {
            var rowBytes = Columns / format.BlockSize * format.BlockBytes;
            var values = Deviation.Normal(9, Rows * Columns);
            for (var r = 0; r < Rows; r++)
                format.Encode(values.AsSpan(r * Columns, Columns), bytes.Slice((long)r * rowBytes, rowBytes));
            return bytes;
        }
        var random = new Random(9);
        var decoded = new float[format.BlockSize];
        for (var b = 0; b < blocks; b++)
        {
            var block = bytes.Slice((long)b * format.BlockBytes, format.BlockBytes);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                random.NextBytes(block);
                format.DecodeScalar(block, decoded);
                if (Array.TrueForAll(decoded, value => Math.Abs(value) < 100))
                    break;
                block.Clear();
            }
        }
        return bytes;
    }
}
