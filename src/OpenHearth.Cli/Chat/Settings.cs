using System.Globalization;
using OpenHearth.Engine.Sampling;

namespace OpenHearth.Cli.Chat;

/// <summary>One thing that <c>/set</c> changes.</summary>
/// <param name="Name">What to type.</param>
/// <param name="Summary">One line.</param>
/// <param name="Show">Its value now.</param>
/// <param name="Change">Takes a new value, or null where none was typed; throws a <see cref="Failure"/> that says what fits.</param>
internal sealed record Setting(string Name, string Summary, Func<ChatLoop, string> Show, Action<ChatLoop, string?> Change);

/// <summary>Everything that <c>/set</c> changes.</summary>
internal static class Settings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        Number("temperature", "0 is greedy, 1 as the model learned", o => o.Temperature, (o, v) => o with { Temperature = v }),
        Whole("top_k", "choose among the so many most likely tokens; 0 is off", o => o.TopK, (o, v) => o with { TopK = ToInt(v) }),
        Number("top_p", "choose among the likeliest that reach this probability; 1 is off", o => o.TopP, (o, v) => o with { TopP = v }),
        Number("min_p", "choose among those this fraction as likely as the best; 0 is off", o => o.MinP, (o, v) => o with { MinP = v }),
        Number("typical", "choose among tokens of typical surprise; 1 is off", o => o.TypicalP, (o, v) => o with { TypicalP = v }),
        Number("repeat_penalty", "makes recent tokens less likely; 1 is off", o => o.RepeatPenalty, (o, v) => o with { RepeatPenalty = v }),
        new("seed", "the same seed gives the same answer; random makes a new one each time",
            chat => chat.Generation.Sampling.Seed?.ToString(CultureInfo.InvariantCulture) ?? "random",
            (chat, text) => ChangeSampling(chat, o => o with { Seed = text is "random" ? null : ParseWhole(text, "seed") })),
        new("max_tokens", "the most tokens of an answer; none for what the context holds",
            chat => chat.Generation.MaxTokens?.ToString(CultureInfo.InvariantCulture) ?? "none",
            (chat, text) => Change(chat, chat.Generation with { MaxTokens = text is "none" ? null : ToInt(ParseWhole(text, "max_tokens")) })),
        new("stop", "texts that end the answer, separated by spaces; none for no such text",
            chat => chat.Generation.Stop.Count > 0 ? string.Join(' ', chat.Generation.Stop) : "none",
            (chat, text) => Change(chat, chat.Generation with { Stop = text is null or "none" ? [] : text.Split(' ', StringSplitOptions.RemoveEmptyEntries) })),
        new("verbose", "show tokens per second", chat => chat.Verbose ? "on" : "off", (chat, text) => chat.Verbose = text switch
        {
            null or "on" or "true" or "1" => true,
            "off" or "false" or "0" => false,
            _ => throw Failure.Because("verbose is on or off."),
        }),
    ];

    private static Setting Number(string name, string summary, Func<SamplingOptions, float> get, Func<SamplingOptions, float, SamplingOptions> with) => new(
        name, summary,
        chat => get(chat.Generation.Sampling).ToString("0.###", CultureInfo.InvariantCulture),
        (chat, text) => ChangeSampling(chat, o => with(o, float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : throw Failure.Because($"{name} takes a number."))));

    private static Setting Whole(string name, string summary, Func<SamplingOptions, int> get, Func<SamplingOptions, long, SamplingOptions> with) => new(
        name, summary,
        chat => get(chat.Generation.Sampling).ToString(CultureInfo.InvariantCulture),
        (chat, text) => ChangeSampling(chat, o => with(o, ParseWhole(text, name))));

    private static long ParseWhole(string? text, string name) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw Failure.Because($"{name} takes a whole number.");

    private static int ToInt(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);

    private static void ChangeSampling(ChatLoop chat, Func<SamplingOptions, SamplingOptions> change) =>
        Change(chat, chat.Generation with { Sampling = change(chat.Generation.Sampling) });

    private static void Change(ChatLoop chat, Engine.Generation.GenerationOptions options)
    {
        options.Validate();
        chat.Generation = options;
    }
}
