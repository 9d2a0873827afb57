using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>The type that a quantized matrix is kept in.</summary>
internal static class ScaledType
{
    /// <summary>
    /// F16 where scales are F16: it holds their products with few bits in one rounding. BF16 elsewhere, whose range is
    /// that of F32.
    /// </summary>
    public static TensorType Of(TensorType scales) => scales == TensorType.F16 ? TensorType.F16 : TensorType.BF16;
}
