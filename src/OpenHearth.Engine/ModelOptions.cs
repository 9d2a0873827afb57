using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine;

/// <summary>How a model is run.</summary>
public sealed record ModelOptions
{
    /// <summary>Threads that compute, the caller's included; 0 for one on each core that the process may use, which is also the most: those that wait for a core hold up the others.</summary>
    public int Threads { get; init; }

    /// <summary>True to leave activations in F32, with the cache in F32 too, and to decode quantized safetensors without rounding; slower. False lets the fastest kernels round them.</summary>
    public bool Exact { get; init; }

    /// <summary>How keys are cached; null for F16, or F32 where <see cref="Exact"/>.</summary>
    public CacheType? CachedKeys { get; init; }

    /// <summary>How values are cached, likewise. Latent attention keeps no values beside its keys.</summary>
    public CacheType? CachedValues { get; init; }

    /// <summary>
    /// Tokens that a session holds unless it says otherwise; 0 for what the model was made for, as far as memory allows. More than that is allowed
    /// (answers may get worse), except where positions are a table: <see cref="Model.LongestContext"/>.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>
    /// Tokens that go through the model at once at most; longer prompts are cut. More is faster up to some hundreds, and takes
    /// memory. An encoder, whose tokens must see each other, takes a whole text of up to 8192 tokens also where this is less.
    /// </summary>
    public int MaximumStepTokens { get; init; } = 512;

    internal CacheFormats Cache
    {
        get
        {
            var usual = Exact ? CacheType.F32 : CacheType.F16;
            return new CacheFormats(CacheTypes.Format(CachedKeys ?? usual), CacheTypes.Format(CachedValues ?? usual));
        }
    }
}
