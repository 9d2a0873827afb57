using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests;

/// <summary>The built program from outside: a process, its streams and its exit code.</summary>
public sealed class ProgramTests
{
    // The model goes on with it for thousands of tokens, so that the signal comes before the end.
    private const string LongAnswer = "Write a short story about a lighthouse keeper and a whale.";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // Built beside this test, in the same configuration: src/OpenHearth.Cli/bin/Release/net10.0/hearth.
    private static readonly string Program = Path.Combine(
        Fixtures.Checkout, "src", "OpenHearth.Cli", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0",
        OperatingSystem.IsWindows() ? "hearth.exe" : "hearth");

    [Fact]
    public void Start_PipedPrompt_AnswersOnPlainText()
    {
        var (code, output, error) = Start("The sky is blue.", "run", "smollm2", "Repeat:", "--temperature", "0", "--max-tokens", "3");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.NotEmpty(output.Trim());
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public void Start_Json_PutsTheDocumentAloneOnStandardOutput()
    {
        var (code, output, _) = Start("", "run", "smollm2", "Héllo", "--max-tokens", "1", "--json", "--verbose");
        Assert.Equal(0, code);
        Assert.Equal("length", (string)JsonNode.Parse(output)!["finish_reason"]!);
    }

    [Fact]
    public void Start_UnknownModel_Returns3()
    {
        var (code, output, error) = Start("", "run", "smolm2", "x");
        Assert.Equal(3, code);
        Assert.Equal("", output);
        Assert.Equal("hearth: There is no model 'smolm2'. Did you mean 'smollm2'?", error.Trim());
    }

    [Fact]
    public void Start_NoProcessorLevel_IsRefusedFirst()
    {
        var (code, output, error) = StartAt("fast");
        Assert.Equal(2, code);
        Assert.Equal("", output);
        Assert.Contains("HEARTH_CPU is 'fast'", error);
    }

    [Fact]
    public void Start_LowerProcessorLevel_IsInUse()
    {
        var (code, output, error) = StartAt("scalar");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        var instructions = JsonNode.Parse(output)!["instructions"]!;
        Assert.Equal("scalar", (string)instructions["used_level"]!);
        Assert.NotEmpty((string)instructions["no_generated_code"]!);
    }

    [Fact]
    public void Start_HigherProcessorLevelThanThereIs_UsesTheHighest()
    {
        var (code, output, error) = StartAt("amx");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        var instructions = JsonNode.Parse(output)!["instructions"]!;
        Assert.Equal((string)instructions["highest_level"]!, (string)instructions["used_level"]!);
    }

    [Theory]
    [InlineData("takes 93 MiB, and this process may use 64: no room is left for a context.", "run", "smollm2", "x")]
    [InlineData("takes 93 MiB, and this process may use 64: no room is left for a context.", "run", "smollm2", "x", "--ctx", "512")]
    [InlineData("Measuring takes 768 MiB of memory, and this process may use 64.", "info", "--measure")]
    public void Start_WithoutTheMemory_SaysHowMuchThereIs(string expected, params string[] args)
    {
        var start = StartInfo(args);
        start.Environment["DOTNET_GCHeapHardLimit"] = "4000000"; // 64 MiB, in hexadecimal
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        Assert.Equal("", process.StandardOutput.ReadToEnd());
        Assert.Contains(expected, process.StandardError.ReadToEnd());
        Assert.True(process.WaitForExit(Patience));
        Assert.Equal(1, process.ExitCode);
    }

    [Theory]
    [InlineData(2, "frobnicate", "2>&-")]
    [InlineData(2, "frobnicate", "2>/dev/full")]
    [InlineData(1, "info", ">/dev/full 2>/dev/full")]
    public void Start_WhereNobodyHears_EndsAsItWould(int exitCode, string command, string redirections)
    {
        Assert.SkipWhen(!File.Exists("/dev/full"), "There is no /dev/full here.");
        using var process = Process.Start("/bin/sh", ["-c", $"'{Program}' {command} {redirections}"]);
        Assert.True(process.WaitForExit(Patience));
        Assert.Equal(exitCode, process.ExitCode);
    }

    [Fact]
    public void Start_PipeAsAModel_IsRefusedByName()
    {
        Assert.SkipWhen(!File.Exists("/bin/sh"), "There is no shell here.");
        var (code, output, error) = Start("GGUF and more", "show", "/dev/stdin");
        Assert.Equal(1, code);
        Assert.Equal("", output);
        Assert.Contains("/dev/stdin is a pipe", error);
    }

    [Fact]
    public void Start_Interrupted_Returns130WithWhatWasMade()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signal that reaches one process alone.");
        using var process = Process.Start(StartInfo("run", "smollm2", LongAnswer, "--temperature", "0", "--max-tokens", "2000"))!;
        process.StandardInput.Close();
        var first = new char[1];
        Assert.Equal(1, process.StandardOutput.Read(first)); // the answer has begun
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        var rest = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience));
        Assert.Equal(130, process.ExitCode);
        Assert.EndsWith("\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_ReaderThatLeaves_EndsTheAnswer()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows' console stream does not say that the reader has left.");
        using var process = Process.Start(StartInfo("run", "smollm2", LongAnswer, "--temperature", "0", "--max-tokens", "500"))!;
        process.StandardInput.Close();
        var first = new char[1];
        Assert.Equal(1, process.StandardOutput.Read(first));
        process.StandardOutput.Close();
        Assert.Equal("", process.StandardError.ReadToEnd());
        Assert.True(process.WaitForExit(Patience));
        Assert.Equal(1, process.ExitCode);
    }

    private static (int Code, string Output, string Error) StartAt(string level)
    {
        var start = StartInfo("info", "--json");
        start.Environment["HEARTH_CPU"] = level;
        return Start("", start);
    }

    private static (int Code, string Output, string Error) Start(string input, params string[] args) => Start(input, StartInfo(args));

    private static (int Code, string Output, string Error) Start(string input, ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience));
        return (process.ExitCode, output, error.Result);
    }

    private static ProcessStartInfo StartInfo(params string[] args) => new(Program, args)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardInputEncoding = new UTF8Encoding(false),
        StandardOutputEncoding = Encoding.UTF8,
    };
}
