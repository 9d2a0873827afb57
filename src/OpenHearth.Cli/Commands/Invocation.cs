using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenHearth.Cli.Models;

namespace OpenHearth.Cli.Commands;

/// <summary>One run of one command: its options, where it writes, and when it was told to stop.</summary>
internal sealed class Invocation(ParseResult parse, CommonOptions options, Terminal terminal, Interrupt interrupt) : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>Where to read and write.</summary>
    public Terminal Terminal { get; } = terminal;

    /// <summary>Messages on standard error.</summary>
    public Log Log { get; } = new(terminal.Error, options.Level(parse));

    /// <summary>Ctrl-C.</summary>
    public Interrupt Interrupt { get; } = interrupt;

    /// <summary>Results.</summary>
    public TextWriter Out => Terminal.Out;

    /// <summary>True when the one thing on standard output is a JSON document.</summary>
    public bool Json => Get(options.Json);

    /// <summary>True when no network may be used.</summary>
    public bool Offline => Get(options.Offline) || Terminal.Variable("HEARTH_OFFLINE") is "1" or "true";

    /// <summary>Threads that compute.</summary>
    public int Threads => Get(options.Threads) ?? Environment.ProcessorCount;

    /// <summary>The clock, or the moment that HEARTH_NOW names.</summary>
    public Func<DateTimeOffset> Clock => Terminal.Variable("HEARTH_NOW") is { Length: > 0 } fixedTime ? Fixed(fixedTime) : () => TimeProvider.System.GetLocalNow();

    /// <summary>The folder of what the program keeps: HEARTH_HOME, or one in the user's data folder.</summary>
    public string Home => Terminal.Variable("HEARTH_HOME") is { Length: > 0 } home
        ? Path.GetFullPath(home)
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "hearth");

    /// <summary>The path behind MODEL.</summary>
    public string ModelPath => ModelReference.OfProgram().Resolve(ModelName);

    /// <summary>MODEL as it was typed.</summary>
    public string ModelName => parse.GetRequiredValue(options.Model);

    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => parse.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Get<T>(Argument<T> argument) => parse.GetValue(argument);

    /// <summary>True when the option was given.</summary>
    public bool Has(Option option) => parse.GetResult(option) is { Implicit: false };

    /// <summary>Disposed of with this invocation.</summary>
    public T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>Writes the one JSON document.</summary>
    public void WriteJson<T>(T document, JsonTypeInfo<T> type) => Out.WriteLine(JsonSerializer.Serialize(document, type));

    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }

    private static Func<DateTimeOffset> Fixed(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var now)
            ? () => now
            : throw Failure.WrongCommandLine($"HEARTH_NOW is '{text}', which is no time like 2026-03-15T09:30:00.");
}
