using System.Globalization;
using OpenHearth.Engine.Generation;

namespace OpenHearth.Cli.Rendering;

/// <summary>How fast an answer came, in one line.</summary>
internal static class Speeds
{
    public static string Of(GenerationResult result) => string.Create(CultureInfo.InvariantCulture,
        $"prompt {result.PromptTokens} tokens ({result.CachedTokens} held) at {result.Timings.PromptTokensPerSecond:F1}/s, answer {result.Tokens.Count} tokens at {result.Timings.DecodeTokensPerSecond:F1}/s");
}
