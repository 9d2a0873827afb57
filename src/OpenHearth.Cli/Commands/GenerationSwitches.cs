using System.CommandLine;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Sampling;

namespace OpenHearth.Cli.Commands;

/// <summary>How an answer is chosen and when it ends, as options of the command line.</summary>
internal sealed class GenerationSwitches
{
    private readonly Option<float?> _temperature = new("--temperature") { Description = "How freely to choose: 0 is greedy, 1 as the model learned.", HelpName = "F" };
    private readonly Option<int?> _topK = new("--top-k") { Description = "Choose among the N most likely tokens; 0 is off.", HelpName = "N" };
    private readonly Option<float?> _topP = new("--top-p") { Description = "Choose among the likeliest tokens that reach this probability; 1 is off.", HelpName = "F" };
    private readonly Option<float?> _minP = new("--min-p") { Description = "Choose among tokens at least this fraction as likely as the best; 0 is off.", HelpName = "F" };
    private readonly Option<float?> _typical = new("--typical") { Description = "Choose among tokens of typical surprise, up to this probability; 1 is off.", HelpName = "F" };
    private readonly Option<float?> _repeatPenalty = new("--repeat-penalty") { Description = "Makes recent tokens less likely; 1 is off.", HelpName = "F" };
    private readonly Option<long?> _seed = new("--seed") { Description = "The same seed gives the same answer.", HelpName = "N" };
    private readonly Option<int?> _maxTokens = new("--max-tokens") { Description = "The most tokens to make (default: what the context holds).", HelpName = "N" };
    private readonly Option<bool> _shift = new("--context-shift") { Description = "When the context is full, forget the oldest half and go on (default: end the answer)." };
    private readonly Option<string[]> _stop = new("--stop") { Description = "Texts that end the answer.", HelpName = "S", AllowMultipleArgumentsPerToken = true };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in All)
            command.Add(option);
    }

    private Option[] All => [_temperature, _topK, _topP, _minP, _typical, _repeatPenalty, _seed, _maxTokens, _shift, _stop];

    /// <summary>What was given, over the defaults of the engine.</summary>
    /// <exception cref="Failure">A value is out of its range.</exception>
    public GenerationOptions Read(Invocation run)
    {
        var defaults = new SamplingOptions();
        var options = new GenerationOptions
        {
            Sampling = defaults with
            {
                Temperature = run.Get(_temperature) ?? defaults.Temperature,
                TopK = run.Get(_topK) ?? defaults.TopK,
                TopP = run.Get(_topP) ?? defaults.TopP,
                MinP = run.Get(_minP) ?? defaults.MinP,
                TypicalP = run.Get(_typical) ?? defaults.TypicalP,
                RepeatPenalty = run.Get(_repeatPenalty) ?? defaults.RepeatPenalty,
                Seed = run.Get(_seed),
            },
            MaxTokens = run.Get(_maxTokens),
            ContextShift = run.Get(_shift),
            Stop = run.Get(_stop) ?? [],
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentOutOfRangeException wrong)
        {
            throw Failure.WrongCommandLine(InOptions(Failure.From(wrong).Message, wrong.ParamName!));
        }
        return options;
    }

    /// <summary>The engine names its own field; whoever typed knows the option.</summary>
    private string InOptions(string message, string field)
    {
        var name = string.Concat(field.Select(c => char.IsUpper(c) ? $"-{char.ToLowerInvariant(c)}" : c.ToString()));
        return All.FirstOrDefault(option => $"-{name}-".StartsWith($"{option.Name}-", StringComparison.Ordinal)) is { } option
            ? message.Replace(field, option.Name, StringComparison.Ordinal) : message;
    }
}
