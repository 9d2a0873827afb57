using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>The generated products of few tokens, by format and number of tokens.</summary>
internal static class GemvKernels
{
    private static readonly KernelTable Kernels = new((int)(TensorType.Q2_0 + 1) * GemvWriter.MostTokens, number =>
    {
        var (type, tokens) = Math.DivRem(number, GemvWriter.MostTokens);
        return GemvWriter.Write(((TensorType)type).ToString(), RowCodesRegistry.Find((TensorType)type)!.Gemv!, tokens + 1);
    });

    /// <summary>The kernel of a format that has a <see cref="RowCodes.Gemv"/>, for 1 to <see cref="GemvWriter.MostTokens"/> tokens.</summary>
    public static GeneratedKernel Get(TensorType type, int tokens) => Kernels[(int)type * GemvWriter.MostTokens + tokens - 1];
}
