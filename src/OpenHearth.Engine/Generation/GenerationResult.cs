namespace OpenHearth.Engine.Generation;

/// <summary>A finished answer.</summary>
/// <param name="Text">The whole text, without the stop text.</param>
/// <param name="Tokens">The ids made, without the one that ended the answer.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="PromptTokens">Length of the prompt.</param>
/// <param name="CachedTokens">How many of them the session still held from before.</param>
/// <param name="Seed">The seed that repeats the answer.</param>
/// <param name="Timings">How long it took.</param>
/// <param name="ForgottenTokens">Tokens that <see cref="GenerationOptions.ContextShift"/> forgot, of the prompt and of the answer.</param>
public sealed record GenerationResult(
    string Text, IReadOnlyList<int> Tokens, FinishReason FinishReason, int PromptTokens, int CachedTokens, long Seed, GenerationTimings Timings, int ForgottenTokens = 0);

/// <summary>How long the two parts of an answer took. Only tokens that went through the model count for speed.</summary>
/// <param name="Prompt">From the call to the logits of the prompt's last token.</param>
/// <param name="PromptSteps">Tokens of the prompt that were not held already.</param>
/// <param name="Decode">From there to the end, sampling and the receiver of the text included.</param>
/// <param name="DecodeSteps">Tokens of the answer that went through the model.</param>
public readonly record struct GenerationTimings(TimeSpan Prompt, int PromptSteps, TimeSpan Decode, int DecodeSteps)
{
    /// <summary>Speed over the prompt; 0 where nothing was done.</summary>
    public double PromptTokensPerSecond => Rate(PromptSteps, Prompt);

    /// <summary>Speed of the answer; 0 where nothing was done.</summary>
    public double DecodeTokensPerSecond => Rate(DecodeSteps, Decode);

    private static double Rate(int tokens, TimeSpan time) => time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
