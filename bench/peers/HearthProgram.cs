using System.Diagnostics;
using System.Text.Json;

namespace OpenHearth.Peers;

/// <summary>The built <c>hearth</c>, for what only a process of its own shows: its memory and how soon it answers.</summary>
internal static class HearthProgram
{
    /// <summary>Resident memory after a prompt of 512 tokens, over the size of the file.</summary>
    public static double MemoryOverFile(string model, int threads)
    {
        var output = Run("bench", model, "-p", "512", "-n", "8", "-r", "1", "--threads", $"{threads}", "--json");
        var document = JsonDocument.Parse(output).RootElement;
        return document.GetProperty("rss_mb").GetDouble() / document.GetProperty("file_mb").GetDouble();
    }

    /// <summary>Seconds from the start of the process to the first token of an answer, and to its end right after it.</summary>
    public static double FirstToken(string model, int threads)
    {
        var start = Stopwatch.GetTimestamp();
        Run("run", model, "Why is the sky blue?", "--max-tokens", "1", "--temperature", "0", "--ctx", "512", "--threads", $"{threads}");
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string Run(params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(Locate(), args) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"hearth {string.Join(' ', args)} ended with {process.ExitCode}.");
    }

    private static string Locate()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "src", "OpenHearth.Cli", "bin", "Release", "net10.0", OperatingSystem.IsWindows() ? "hearth.exe" : "hearth");
            if (File.Exists(path))
                return path;
        }
        throw new FileNotFoundException("There is no built hearth; run `dotnet build -c Release` first.");
    }
}
