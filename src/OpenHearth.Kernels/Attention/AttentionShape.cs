namespace OpenHearth.Kernels.Attention;

/// <summary>What one attention layer looks like; the same for every token.</summary>
public sealed record AttentionShape
{
    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>Values of a key, and of a query head.</summary>
    public required int KeyWidth { get; init; }

    /// <summary>Values of a value, and of an output head.</summary>
    public required int ValueWidth { get; init; }

    /// <summary>Factor of every score.</summary>
    public required float Scale { get; init; }

    /// <summary>Position i sees position j only where |i - j| &lt; window; 0 for no limit.</summary>
    public int Window { get; init; }

    /// <summary>Position i sees position j only where both are in the same chunk of this length; 0 for no limit.</summary>
    public int Chunk { get; init; }

    /// <summary>False where tokens see those after them in their run too, as in encoders.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Scores become cap · tanh(score / cap); 0 for none.</summary>
    public float SoftCap { get; init; }

    /// <summary>True where a value is the first <see cref="ValueWidth"/> values of its key, as in latent attention: nothing else is cached.</summary>
    public bool ValuesInKeys { get; init; }

    /// <summary>Query heads that share a key head.</summary>
    public int Group => Heads / KeyHeads;
}
