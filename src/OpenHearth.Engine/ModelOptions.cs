using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine;

/// <summary>How a model is run.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads that compute, the caller's included; 0 for as many as the process may use.</summary>
    public int Threads { get; init; }

    /// <summary>Whether activations may be rounded; exact is slower and keeps the cache in F32.</summary>
    public Precision Precision { get; init; }

    /// <summary>Tokens that a session holds unless it says otherwise; 0 for what the model was made for, as far as memory allows.</summary>
    public int ContextLength { get; init; }

    /// <summary>Tokens that go through the model at once at most; longer prompts are cut. More is faster up to some hundreds, and takes memory.</summary>
    public int MaximumStepTokens { get; init; } = 512;
}
