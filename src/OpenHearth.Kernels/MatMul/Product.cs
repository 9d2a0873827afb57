using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// y = x · Wᵀ for one activation row or many. Products that share an activation are faster in one call: it is prepared
/// once and the threads meet once. Nothing is allocated on the managed heap.
/// </summary>
public static unsafe class Product
{
    /// <summary>Multiplies <paramref name="tokens"/> rows of activations with a weight matrix.</summary>
    /// <param name="pool">Runs the parts; one product at a time.</param>
    /// <param name="weights">[rows, columns]</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="y">[tokens, rows], overwritten; must not overlap <paramref name="x"/></param>
    /// <param name="tokens">Number of activation rows.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="x"/> or <paramref name="y"/> is too short.</exception>
    public static void Multiply(ComputePool pool, Matrix weights, ReadOnlySpan<float> x, Span<float> y, int tokens, Precision precision)
    {
        CheckInput(weights, x, tokens);
        CheckOutput(weights, y, tokens);
        fixed (float* px = x, py = y)
        {
            var targets = new Targets();
            targets.Add(weights, py);
            Run(pool, ref targets, px, tokens, precision);
        }
    }

    /// <summary>Multiplies the same activations with two matrices of as many columns, for example gate and up.</summary>
    /// <param name="pool">Runs the parts; one product at a time.</param>
    /// <param name="a">[rows of a, columns]</param>
    /// <param name="b">[rows of b, columns]</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="ya">[tokens, rows of a], overwritten; no outputs may overlap</param>
    /// <param name="yb">[tokens, rows of b], overwritten</param>
    /// <param name="tokens">Number of activation rows.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="x"/> or an output is too short.</exception>
    /// <exception cref="ArgumentException">The matrices differ in columns.</exception>
    public static void Multiply(ComputePool pool, Matrix a, Matrix b, ReadOnlySpan<float> x, Span<float> ya, Span<float> yb, int tokens, Precision precision)
    {
        CheckInput(a, x, tokens);
        CheckSameInput(a, b);
        CheckOutput(a, ya, tokens);
        CheckOutput(b, yb, tokens);
        fixed (float* px = x, pa = ya, pb = yb)
        {
            var targets = new Targets();
            targets.Add(a, pa);
            targets.Add(b, pb);
            Run(pool, ref targets, px, tokens, precision);
        }
    }

    /// <summary>Multiplies the same activations with three matrices of as many columns, for example those of query, key and value.</summary>
    /// <param name="pool">Runs the parts; one product at a time.</param>
    /// <param name="a">[rows of a, columns]</param>
    /// <param name="b">[rows of b, columns]</param>
    /// <param name="c">[rows of c, columns]</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="ya">[tokens, rows of a], overwritten; no outputs may overlap</param>
    /// <param name="yb">[tokens, rows of b], overwritten</param>
    /// <param name="yc">[tokens, rows of c], overwritten</param>
    /// <param name="tokens">Number of activation rows.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="x"/> or an output is too short.</exception>
    /// <exception cref="ArgumentException">The matrices differ in columns.</exception>
    public static void Multiply(
        ComputePool pool, Matrix a, Matrix b, Matrix c, ReadOnlySpan<float> x, Span<float> ya, Span<float> yb, Span<float> yc, int tokens, Precision precision)
    {
        CheckInput(a, x, tokens);
        CheckSameInput(a, b);
        CheckSameInput(a, c);
        CheckOutput(a, ya, tokens);
        CheckOutput(b, yb, tokens);
        CheckOutput(c, yc, tokens);
        fixed (float* px = x, pa = ya, pb = yb, pc = yc)
        {
            var targets = new Targets();
            targets.Add(a, pa);
            targets.Add(b, pb);
            targets.Add(c, pc);
            Run(pool, ref targets, px, tokens, precision);
        }
    }

    /// <summary>Multiplies with some rows of a matrix; unchecked.</summary>
    /// <param name="pool">Runs the parts; one product at a time.</param>
    /// <param name="weights">[rows, columns]</param>
    /// <param name="first">First row that is computed.</param>
    /// <param name="rows">How many are.</param>
    /// <param name="x">[tokens, columns]</param>
    /// <param name="y">[tokens, rows of the matrix]; the columns of other rows stay as they are</param>
    /// <param name="tokens">Number of activation rows.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    internal static void Multiply(ComputePool pool, Matrix weights, int first, int rows, float* x, float* y, int tokens, Precision precision)
    {
        var targets = new Targets();
        targets.Add(weights, y, first, rows);
        Run(pool, ref targets, x, tokens, precision);
    }

    // Each matrix takes the kernel that it would take alone; those of the same kernel run together.
    private static void Run(ComputePool pool, ref Targets targets, float* x, int tokens, Precision precision)
    {
        if (tokens == 0)
            return;
        var allowed = ProductKernels.Allowed(pool.Level);
        var done = 0;
        for (var i = 0; i < targets.Count; i++)
        {
            if ((done >> i & 1) != 0)
                continue;
            var kernel = ProductKernels.Choose(targets[i].Weights, tokens, precision, allowed);
            var together = new Targets();
            for (var k = i; k < targets.Count; k++)
            {
                if (ProductKernels.Choose(targets[k].Weights, tokens, precision, allowed) != kernel)
                    continue;
                done |= 1 << k;
                together.Add(targets[k].Weights, targets[k].Y, targets[k].First, targets[k].Rows);
            }
            Run(kernel, pool, ref together, x, tokens);
        }
    }

    private static void Run(ProductKernel kernel, ComputePool pool, ref Targets targets, float* x, int tokens)
    {
        switch (kernel)
        {
            case ProductKernel.Gemv: GemvJob.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.RowLanes: RowLaneJob.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.Gemm: GemmJob.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.CodedRows: CodedRows.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.FloatGemv: FloatGemvJob.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.FloatGemm: FloatGemmJob.Run(pool, ref targets, x, tokens, bf16: false); break;
            case ProductKernel.Bf16Gemm: FloatGemmJob.Run(pool, ref targets, x, tokens, bf16: true); break;
            case ProductKernel.TileGemm: TileGemmJob.Run(pool, ref targets, x, tokens); break;
            case ProductKernel.Bf16Batch: Bf16BatchJob.Run(pool, ref targets, x, tokens); break;
            default: FloatRows.Run(pool, ref targets, x, tokens); break;
        }
    }

    private static void CheckInput(Matrix weights, ReadOnlySpan<float> x, int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(x.Length, (long)tokens * weights.Columns, nameof(x));
    }

    private static void CheckOutput(Matrix weights, Span<float> y, int tokens) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(y.Length, (long)tokens * weights.Rows, nameof(y));

    private static void CheckSameInput(Matrix a, Matrix b)
    {
        if (a.Columns != b.Columns)
            throw new ArgumentException($"Products of the same activations need matrices of as many columns; these have {a.Columns} and {b.Columns}.");
    }
}
