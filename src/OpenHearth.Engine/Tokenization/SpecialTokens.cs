namespace OpenHearth.Engine.Tokenization;

/// <summary>The tokens with a role, and what is put around a text.</summary>
internal sealed record SpecialTokens
{
    public int? Bos { get; init; }

    public int? Eos { get; init; }

    public int? Pad { get; init; }

    public int? Unknown { get; init; }

    public int? Separator { get; init; }

    public int? Mask { get; init; }

    /// <summary>Ids put before a text.</summary>
    public int[] Prefix { get; init; } = [];

    /// <summary>Ids put behind a text.</summary>
    public int[] Suffix { get; init; } = [];

    /// <summary>Ids that end an answer.</summary>
    public HashSet<int> EndOfGeneration { get; init; } = [];
}
