namespace OpenHearth.Kernels.Recurrence;

/// <summary>One layer of linear attention: every head remembers a matrix [keyWidth, valueWidth] instead of all tokens.</summary>
public sealed record LinearAttentionShape
{
    /// <summary>Heads of values, each with a matrix of its own.</summary>
    public required int Heads { get; init; }

    /// <summary>Heads of queries and keys; they divide <see cref="Heads"/>.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>Values of a query or key head.</summary>
    public required int KeyWidth { get; init; }

    /// <summary>Values of a value head.</summary>
    public required int ValueWidth { get; init; }

    /// <summary>True for the delta rule: what the matrix already answers to the key is taken away before the value is added.</summary>
    public bool Delta { get; init; }

    /// <summary>True where head h uses key head h mod <see cref="KeyHeads"/>, false where neighbours share one.</summary>
    public bool Interleaved { get; init; }

    /// <summary>Floats that all matrices take.</summary>
    public long StateLength => (long)Heads * KeyWidth * ValueWidth;
}
