using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Generation;

/// <summary>What a request of Microsoft.Extensions.AI means for the engine.</summary>
internal static class ChatClientMapping
{
    /// <summary>The messages, with the options' instructions at the head of the system message.</summary>
    /// <exception cref="NotSupportedException">A message holds something else than text.</exception>
    public static ChatTurn[] Turns(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var turns = messages.Select(message => new ChatTurn(message.Role.Value, Text(message))).ToList();
        if (string.IsNullOrEmpty(instructions))
            return [.. turns];
        // One message: many templates refuse a second system message.
        if (turns is [{ Role: "system" } system, ..])
            turns[0] = system with { Content = $"{instructions}\n\n{system.Content}" };
        else
            turns.Insert(0, new("system", instructions));
        return [.. turns];
    }

    /// <summary>The defaults, changed by what the request sets.</summary>
    /// <exception cref="NotSupportedException">The request needs something that the engine does not do.</exception>
    /// <exception cref="ArgumentException">A setting is out of its range or of a wrong type.</exception>
    public static GenerationOptions Options(IChatClient client, ChatOptions? request, GenerationOptions defaults)
    {
        if (request is null)
            return defaults;
        RefuseWhatIsNotDone(request);
        var options = request.RawRepresentationFactory?.Invoke(client) as GenerationOptions ?? defaults;
        options = options with
        {
            MaxTokens = request.MaxOutputTokens ?? options.MaxTokens,
            Stop = request.StopSequences is { } stop ? [.. stop] : options.Stop,
            Sampling = Sampling(request, options.Sampling),
        };
        options.Validate();
        return options;
    }

    private static SamplingOptions Sampling(ChatOptions request, SamplingOptions defaults)
    {
        var sampling = defaults with
        {
            Temperature = request.Temperature ?? defaults.Temperature,
            TopP = request.TopP ?? defaults.TopP,
            TopK = request.TopK ?? defaults.TopK,
            Seed = request.Seed ?? defaults.Seed,
            FrequencyPenalty = request.FrequencyPenalty ?? defaults.FrequencyPenalty,
            PresencePenalty = request.PresencePenalty ?? defaults.PresencePenalty,
        };
        foreach (var (name, value) in request.AdditionalProperties ?? [])
            sampling = With(sampling, name, value);
        return sampling;
    }

    private static SamplingOptions With(SamplingOptions sampling, string name, object? value) => name switch
    {
        "min_p" => sampling with { MinP = Number(name, value) },
        "typical_p" => sampling with { TypicalP = Number(name, value) },
        "top_n_sigma" => sampling with { TopNSigma = Number(name, value) },
        "repeat_penalty" => sampling with { RepeatPenalty = Number(name, value) },
        "repeat_last_n" => sampling with { RepeatLastN = Integer(name, value) },
        "dry_multiplier" => sampling with { DryMultiplier = Number(name, value) },
        "dry_base" => sampling with { DryBase = Number(name, value) },
        "dry_allowed_length" => sampling with { DryAllowedLength = Integer(name, value) },
        "dry_last_n" => sampling with { DryLastN = Integer(name, value) },
        "xtc_probability" => sampling with { XtcProbability = Number(name, value) },
        "xtc_threshold" => sampling with { XtcThreshold = Number(name, value) },
        "mirostat_tau" => sampling with { MirostatTau = Number(name, value) },
        "mirostat_eta" => sampling with { MirostatEta = Number(name, value) },
        _ => sampling,
    };

    private static float Number(string name, object? value) => value switch
    {
        JsonElement { ValueKind: JsonValueKind.Number } number => number.GetSingle(),
        float or double or decimal or int or long => Convert.ToSingle(value, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"AdditionalProperties[\"{name}\"] is {value ?? "null"}; it must be a number."),
    };

    private static int Integer(string name, object? value)
    {
        var number = Number(name, value);
        return number == MathF.Floor(number) && MathF.Abs(number) < 1 << 24
            ? (int)number
            : throw new ArgumentException($"AdditionalProperties[\"{name}\"] is {value}; it must be a whole number.");
    }

    private static void RefuseWhatIsNotDone(ChatOptions request)
    {
        if (request.Tools is { Count: > 0 } && request.ToolMode is not NoneChatToolMode)
            throw new NotSupportedException("This chat client calls no tools yet: leave ChatOptions.Tools empty or set ToolMode to None.");
        if (request.ResponseFormat is ChatResponseFormatJson)
            throw new NotSupportedException("This chat client can't promise JSON yet: leave ChatOptions.ResponseFormat empty and ask for JSON in the prompt.");
        if (request.ConversationId is not null)
            throw new NotSupportedException("This chat client remembers no conversations: leave ChatOptions.ConversationId empty and send all messages.");
        if (request.ContinuationToken is not null)
            throw new NotSupportedException("This chat client gives no continuation tokens, so it can't continue from one.");
    }

    private static string Text(ChatMessage message)
    {
        var text = new StringBuilder();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Append(part.Text);
                    break;
                // What a model thought, used or failed at in an earlier answer is no part of the conversation.
                case TextReasoningContent or UsageContent or ErrorContent:
                    break;
                default:
                    throw new NotSupportedException($"A message of the role {message.Role} holds {content.GetType().Name}; this chat client reads text only.");
            }
        }
        return text.ToString();
    }
}
