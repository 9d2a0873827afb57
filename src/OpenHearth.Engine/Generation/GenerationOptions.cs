using OpenHearth.Engine.Sampling;

namespace OpenHearth.Engine.Generation;

/// <summary>How an answer is made and when it ends. Immutable and safe to share.</summary>
public sealed record GenerationOptions
{
    /// <summary>How each token is chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>The most tokens to make; null goes on until the context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// What to do when the context is full: false ends the answer, and refuses a prompt that is too long; true forgets half of
    /// the oldest tokens after the first <see cref="KeptTokens"/> and reads the rest anew, as often as it takes, so that an answer
    /// without <see cref="MaxTokens"/> may never end. What is left is what a new session would know of it, for every architecture.
    /// </summary>
    public bool ContextShift { get; init; }

    /// <summary>Tokens at the start that <see cref="ContextShift"/> never forgets.</summary>
    public int KeptTokens { get; init; } = 4;

    /// <summary>
    /// Texts that end the answer where one is complete; neither it nor what follows is given out. Where several end at
    /// the same character the longest counts. Compared by code units, wherever the borders of tokens are.
    /// </summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Throws for the first field that is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="ArgumentException.ParamName"/> is the field's name.</exception>
    public void Validate()
    {
        Sampling.Validate();
        Require(MaxTokens is null or >= 0, nameof(MaxTokens), MaxTokens, "0 or more tokens");
        Require(KeptTokens >= 0, nameof(KeptTokens), KeptTokens, "0 or more tokens");
        Require(Stop.All(text => text.Length > 0), nameof(Stop), "an empty text", "texts of at least one character");
    }

    private static void Require(bool holds, string field, object? value, string range)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(field, value, $"{field} is {value}; it must be {range}.");
    }
}
