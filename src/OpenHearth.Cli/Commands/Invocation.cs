using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenHearth.Cli.Models;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;

namespace OpenHearth.Cli.Commands;

/// <summary>One run of one command: its options, where it writes, and when it was told to stop.</summary>
internal sealed class Invocation(ParseResult parse, CommonOptions options, Terminal terminal, Interrupt interrupt) : IDisposable
{
    private static readonly TimeSpan PatienceWithInput = TimeSpan.FromSeconds(2);

    private readonly List<IDisposable> _owned = [];
    private int? _threads;

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

    /// <summary>Threads that compute: no more than there are cores for them. Says so, once, where --threads asks for more.</summary>
    public int Threads => _threads ??= AvailableThreads();

    /// <summary>The clock, or the moment that HEARTH_NOW names.</summary>
    public TimeProvider Clock => Terminal.Variable("HEARTH_NOW") is { Length: > 0 } fixedTime ? FixedClock.Parse(fixedTime) : TimeProvider.System;

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

    /// <summary>Loads a model, which is disposed of with this invocation; says so where --ctx asks for more than it was made for.</summary>
    /// <param name="path">The model.</param>
    /// <param name="modelOptions">How to run it, threads left out.</param>
    public Model Load(string path, ModelOptions modelOptions)
    {
        var model = Own(Model.Load(path, modelOptions with { Threads = Threads }));
        if (model.LongestContext > model.Info.ContextLength)
            Log.Warning($"{model.Info.Name} was made for {model.Info.ContextLength} tokens; answers may get worse beyond.");
        return model;
    }

    /// <summary>Disposed of with this invocation.</summary>
    public T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>Writes the one JSON document.</summary>
    public void WriteJson<T>(T document, JsonTypeInfo<T> type) => Out.WriteLine(JsonSerializer.Serialize(document, type));

    /// <summary>A text from the command line, else of the file that an option names, else of standard input.</summary>
    public string Text(string? argument, Option<string?> file)
    {
        if (argument is not null && Get(file) is not null)
            throw Failure.WrongCommandLine($"Give the text or {file.Name}, not both.");
        if (argument is not null)
            return argument;
        if (Get(file) is { } path)
            return ReadFile(path);
        return Terminal.InputIsTerminal ? throw Failure.WrongCommandLine($"Give a text, {file.Name}, or pipe one in.") : ReadInput();
    }

    /// <summary>Shows how far the work is, on a terminal only; null takes it away.</summary>
    public void Progress(string? text)
    {
        if (Terminal.ErrorIsTerminal)
            Terminal.Error.Write(text is null ? "\r\e[K" : $"\r\e[K{text}");
    }

    /// <summary>Writes a table for people.</summary>
    public void WriteTable(string title, string[] headings, IReadOnlyList<string[]> rows) => Tables.Write(Terminal, title, headings, rows);

    /// <summary>All of standard input; says so when it has to wait for it, and when some of it is no text.</summary>
    public string ReadInput()
    {
        using var patience = new Timer(_ => Log.Warning("waiting for standard input; give < /dev/null if there is none."), null, PatienceWithInput, Timeout.InfiniteTimeSpan);
        if (Terminal.InputIsTerminal)
            patience.Change(Timeout.Infinite, Timeout.Infinite);
        var bytes = Terminal.ReadInput();
        if (InputText.FirstWrong(bytes) is { } wrong)
            Log.Warning($"standard input is no UTF-8 text: byte 0x{wrong.Value:X2} at {wrong.At} begins no character. Such bytes are read as U+FFFD.");
        return InputText.Decode(bytes);
    }

    /// <summary>Writes a piece of a text that is still being made.</summary>
    public void Stream(string text)
    {
        Out.Write(text);
        Out.Flush();
    }

    /// <summary>Writes a result that is a text: exactly on a pipe, on a line of its own on a terminal, as a document with --json.</summary>
    public void WriteText(string text)
    {
        if (Json)
            WriteJson(new TextDocument(text), JsonDocuments.Readable.TextDocument);
        else if (Terminal.OutputIsTerminal)
            Out.WriteLine(text);
        else
            Out.Write(text);
    }

    private static string ReadFile(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return InputText.FirstWrong(bytes) is { } wrong
            ? throw Failure.Because($"{path} is no UTF-8 text: byte 0x{wrong.Value:X2} at {wrong.At} begins no character. Convert it to UTF-8, or give it by < to read such bytes as U+FFFD.")
            : InputText.Decode(bytes);
    }

    private int AvailableThreads()
    {
        var (asked, cores) = (Get(options.Threads), Computer.Cores);
        if (asked > cores)
            Log.Warning($"--threads {asked}, but this process may use {cores} {(cores == 1 ? "core" : "cores")}: {cores} {(cores == 1 ? "computes" : "compute")}.");
        return Math.Min(asked ?? cores, cores);
    }

    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }
}
