using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>The generated products with rows in lanes, by format and number of tokens.</summary>
internal static class RowLaneKernels
{
    private static readonly KernelTable Kernels = new((int)(TensorType.Q2_0 + 1) * RowLaneWriter.MostTokens, number =>
    {
        var (type, tokens) = Math.DivRem(number, RowLaneWriter.MostTokens);
        return RowLaneWriter.Write(((TensorType)type).ToString(), RowCodesRegistry.Find((TensorType)type)!.RowLanes!, tokens + 1);
    });

    /// <summary>The kernel of a format that has a <see cref="RowCodes.RowLanes"/>, for 1 to <see cref="RowLaneWriter.MostTokens"/> tokens.</summary>
    public static GeneratedKernel Get(TensorType type, int tokens) => Kernels[(int)type * RowLaneWriter.MostTokens + tokens - 1];
}
