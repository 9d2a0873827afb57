namespace OpenHearth.Engine.Templates;

/// <summary>What a rendering may be given besides its variables. Immutable.</summary>
public sealed record TemplateOptions
{
    /// <summary>The clock of <c>strftime_now</c> (its local time).</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How much a rendering may use.</summary>
    public TemplateLimits Limits { get; init; } = TemplateLimits.Default;
}

/// <summary>
/// How much one rendering may use. Steps, bytes and output grow with the size of the variables, because a long
/// conversation needs more than a short one; a hostile template gets no further than these bounds. Immutable.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>The limits where none are named.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Evaluated nodes, loop turns and elements handled by built-in functions, plus 16 for each character of the variables.</summary>
    public long Steps { get; init; } = 500_000;

    /// <summary>Bytes of all strings and containers ever made, plus 64 for each character of the variables.</summary>
    public long Bytes { get; init; } = 32L << 20;

    /// <summary>UTF-16 units of the rendered text, plus 8 for each character of the variables.</summary>
    public long OutputLength { get; init; } = 4L << 20;

    /// <summary>How deep expressions, blocks and calls may nest while they run.</summary>
    public int Depth { get; init; } = 1000;

    /// <summary>Wall time. The other limits end a hostile template long before; this one holds on a starved machine.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(10);
}
