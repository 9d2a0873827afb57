namespace OpenHearth.Kernels.MatMul;

/// <summary>How exactly a product with quantized weights is computed.</summary>
public enum Precision
{
    /// <summary>The fastest kernel of this CPU; activations may be rounded on the way in.</summary>
    Fast,

    /// <summary>Weights decoded to F32, activations left as they are, sums in F32 or wider.</summary>
    Exact,
}
