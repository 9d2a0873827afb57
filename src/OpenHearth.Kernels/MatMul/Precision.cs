namespace OpenHearth.Kernels.MatMul;

/// <summary>How exactly a product is computed.</summary>
public enum Precision
{
    /// <summary>
    /// The fastest kernel of this CPU. Activations are rounded to at least 16 bits for few tokens; for many, where the
    /// processor multiplies bf16 as fast as integers, activations and decoded weights are rounded to bf16.
    /// </summary>
    Fast,

    /// <summary>The fastest kernel that rounds activations to 16 bits and leaves quantized weights as they are.</summary>
    Fine,

    /// <summary>Weights decoded to F32, activations left as they are, sums in F32 or wider.</summary>
    Exact,
}
