namespace OpenHearth.Engine.Profiling;

/// <summary>Ops of one kind, with matrices of one role and format: medians over the steps of a profile.</summary>
/// <param name="Name">For example <c>linear attn_q+attn_k+attn_v Q4_0</c>; fused ops are one.</param>
/// <param name="Calls">How often a step runs it.</param>
/// <param name="Seconds">All calls of a step.</param>
/// <param name="Bytes">Bytes of weights, or of the cache, that they read.</param>
/// <param name="MultiplyAdds">Multiplications with an addition that they need; 0 where nobody counts them.</param>
/// <param name="Unit">What does them at most.</param>
public sealed record ProfiledOperation(string Name, int Calls, double Seconds, long Bytes, long MultiplyAdds, ArithmeticUnit Unit);

/// <summary>The instructions that multiply, each with a limit of its own.</summary>
public enum ArithmeticUnit
{
    /// <summary>F32 multiply-adds.</summary>
    F32,

    /// <summary>Dot products of bf16.</summary>
    Bf16,

    /// <summary>Dot products of bytes. Weights of up to 8 bits with activations of 16 take two, so half of the limit is the most.</summary>
    Vnni,

    /// <summary>Products of bf16 in AMX tiles.</summary>
    Tiles,
}
