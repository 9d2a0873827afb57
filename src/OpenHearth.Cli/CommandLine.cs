using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using OpenHearth.Cli.Commands;
using OpenHearth.Engine;
using OpenHearth.Engine.SelfTesting;

namespace OpenHearth.Cli;

/// <summary>From arguments to an exit code: parses, runs one command, says what went wrong.</summary>
internal static partial class CommandLine
{
    /// <summary>Runs one command line. Thread-safe: it shares nothing with other calls.</summary>
    public static int Run(string[] args, Terminal terminal)
    {
        var options = new CommonOptions();
        using var interrupt = new Interrupt();
        if (args is ["help", .. var asked])
            args = [.. asked, "--help"];
        var root = Build(args, options, (parse, body) => Guard(parse, body, options, terminal, interrupt));
        var parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var console = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false };
        var code = args.Length == 0 ? SayWhatThereIs(root, terminal)
            : Misunderstandings(parsed, args) is { Count: > 0 } messages ? Misunderstood(parsed, messages, terminal)
            : parsed.Invoke(console);
        return Flush(terminal, code);
    }

    /// <summary>Sends off what is still held back; the exit code of the command unless that fails.</summary>
    private static int Flush(Terminal terminal, int code)
    {
        try
        {
            terminal.Out.Flush();
            return code;
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            if (!IsClosedPipe(thrown))
                terminal.Error.WriteLine($"hearth: The results can't be written: {thrown.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>Whoever read the results has left, as <c>head</c> does: that is its affair and calls for no message.</summary>
    private static bool IsClosedPipe(Exception thrown)
    {
        const int brokenPipe = 32; // EPIPE on Linux and macOS
        return thrown is IOException && !OperatingSystem.IsWindows() && thrown.HResult == brokenPipe;
    }

    /// <summary>All commands by name; the options only of the one that is asked for, which keeps the start short.</summary>
    private static RootCommand Build(string[] args, CommonOptions options, Func<ParseResult, Func<Invocation, int>, int> guard)
    {
        var root = new RootCommand("Own your language models: run, inspect and measure them on this computer.");
        options.AddTo(root);
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples(CommandTable.Examples);
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion(options);
        foreach (var entry in CommandTable.Entries)
        {
            var command = new Command(entry.Name, entry.Summary);
            root.Add(command);
            if (!args.Contains(entry.Name))
                continue;
            var body = entry.Declare(command, options);
            command.Add(new HelpOption { Action = new HelpWithExamples(entry.Examples) });
            command.SetAction(parse => guard(parse, body));
        }
        return root;
    }

    private static int Guard(ParseResult parse, Func<Invocation, int> body, CommonOptions options, Terminal terminal, Interrupt interrupt)
    {
        var verbose = parse.GetValue(options.Verbose);
        try
        {
            using var invocation = new Invocation(parse, options, terminal, interrupt);
            TileProof.Use(invocation.Home);
            CheckLevel(terminal);
            var code = body(invocation);
            if (verbose)
                invocation.Log.Debug($"done {StartUp.Report()}");
            return code;
        }
#pragma warning disable CA1031 // The one place where every failure becomes a message and an exit code.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            if (IsClosedPipe(thrown))
                return ExitCode.Failed;
            var failure = Failure.From(thrown);
            Flush(terminal, failure.ExitCode);
            terminal.Error.WriteLine($"hearth: {failure.Message}");
            if (failure.ExitCode == ExitCode.WrongCommandLine)
                terminal.Error.WriteLine(TryHelp(parse));
            if (verbose)
                terminal.Error.WriteLine(failure.InnerException ?? failure);
            return failure.ExitCode;
        }
    }

    /// <summary>HEARTH_CPU is read deep in the engine; a wrong one is to be heard of before any work.</summary>
    private static void CheckLevel(Terminal terminal)
    {
        if (string.IsNullOrWhiteSpace(terminal.Variable("HEARTH_CPU")))
            return;
        try
        {
            _ = Computer.Level;
        }
        catch (InvalidOperationException wrong)
        {
            throw new Failure(ExitCode.WrongCommandLine, wrong.Message, wrong);
        }
    }

    private static int SayWhatThereIs(RootCommand root, Terminal terminal)
    {
        root.Parse(["--help"]).Invoke(new InvocationConfiguration { Output = terminal.Error, Error = terminal.Error });
        return ExitCode.WrongCommandLine;
    }

    private static int Misunderstood(ParseResult parse, List<string> messages, Terminal terminal)
    {
        foreach (var message in messages.Distinct())
            terminal.Error.WriteLine($"hearth: {message}");
        terminal.Error.WriteLine(TryHelp(parse));
        return ExitCode.WrongCommandLine;
    }

    private static List<string> Misunderstandings(ParseResult parse, string[] args)
    {
        var command = parse.CommandResult.Command;
        if (command is RootCommand && parse.UnmatchedTokens is [var first, ..] && !first.StartsWith('-'))
            return [$"There is no command '{first}'.{DidYouMean(first, CommandTable.Entries.Select(entry => entry.Name))}"];
        if (parse.Action?.ClearsParseErrors == true)
            return [];
        var options = command.Options.Concat(parse.RootCommandResult.Command.Options.Where(option => option.Recursive)).SelectMany(option => option.Aliases.Prepend(option.Name)).ToHashSet();
        var advice = command.Arguments.Count > 1 ? " A text that begins like an option goes behind --." : "";
        // The parser takes an option that it doesn't know for a text, where texts may stand.
        var unknown = args.TakeWhile(arg => arg != "--").Where(arg => OptionForm().IsMatch(arg)).Select(arg => arg.Split('=')[0]).Where(name => !options.Contains(name))
            .Select(name => $"There is no option '{name}'.{(DidYouMean(name, options.Where(option => option.StartsWith("--", StringComparison.Ordinal))) is { Length: > 0 } nearest ? nearest : advice)}").ToList();
        return unknown.Count > 0 ? unknown : [.. parse.Errors.Select(Message)];
    }

    [GeneratedRegex("^--?[A-Za-z][A-Za-z0-9_-]*(=|$)")]
    private static partial Regex OptionForm();

    /// <summary>The parser's own words name types of .NET, and take a line for each value that there is.</summary>
    private static string Message(ParseError error)
    {
        if (error.SymbolResult is not OptionResult { Option: var option, Tokens: [.., var token] })
            return error.Message;
        if (error.Message.Split('\n') is [_, .. { Length: > 0 } values])
            return $"{option.Name} takes {string.Join(", ", values.Select(value => value.Trim(' ', '\t', '\r', '\'')).Where(value => value.Length > 0))}, not '{token.Value}'.";
        return error.Message.Contains("expected type", StringComparison.Ordinal)
            ? $"{option.Name} takes a {(option.ValueType == typeof(float?) ? "number" : "whole number")}, not '{token.Value}'."
            : error.Message;
    }

    private static string DidYouMean(string typed, IEnumerable<string> candidates) =>
        Nearest.To(typed, candidates) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    private static string TryHelp(ParseResult parse) =>
        parse.CommandResult.Command is RootCommand ? "Try: hearth --help" : $"Try: hearth {parse.CommandResult.Command.Name} --help";
}
