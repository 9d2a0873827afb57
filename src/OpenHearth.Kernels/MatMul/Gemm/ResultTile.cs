using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>What a GEMM kernel leaves: [tokens][panels][16] sums.</summary>
internal static unsafe class ResultTile
{
    /// <summary>Bytes of the largest.</summary>
    public const int Bytes = GemmKernel.MostTokens * 4 * 64;

    /// <summary>Writes a tile to where results go.</summary>
    /// <param name="results">[tokens][panels][16]</param>
    /// <param name="panels">Panels of the kernel.</param>
    /// <param name="rows">Rows that exist, at most 16 for each panel.</param>
    /// <param name="tokens">Tokens of the tile.</param>
    /// <param name="scales">[tokens], or null for 1</param>
    /// <param name="y">The first result.</param>
    /// <param name="yStride">Values from a token's results to the next one's.</param>
    public static void Store(float* results, int panels, int rows, int tokens, float* scales, float* y, int yStride)
    {
        for (var t = 0; t < tokens; t++, y += yStride, results += 16 * panels)
        {
            var factor = scales == null ? 1 : scales[t];
            var scale = Vector512.Create(factor);
            var r = 0;
            for (; r <= rows - 16; r += 16)
                (Vector512.Load(results + r) * scale).Store(y + r);
            for (; r < rows; r++)
                y[r] = results[r] * factor;
        }
    }
}
