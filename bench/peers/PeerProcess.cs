using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace OpenHearth.Peers;

/// <summary>llama.cpp in a child process (peer.mjs), asked one question at a time; it idles in between.</summary>
internal sealed class PeerProcess : IDisposable
{
    private const string Package = "node-llama-cpp@3.22.1";

    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    /// <summary>Installs the npm package into <paramref name="scratch"/> unless it is there, and starts the peer.</summary>
    public static PeerProcess Start(string scratch)
    {
        var folder = Path.Combine(scratch, "peer");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "node-llama-cpp")))
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "package.json"), """{"private": true, "type": "module"}""");
            Console.Error.WriteLine($"installing {Package} into {folder} …");
            using var install = Process.Start(new ProcessStartInfo("npm", ["install", "--ignore-scripts", "--no-fund", "--no-audit", Package])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
            })!;
            install.StandardOutput.ReadToEnd();
            install.WaitForExit();
            if (install.ExitCode != 0)
                throw new InvalidOperationException($"npm install {Package} failed with exit code {install.ExitCode}; is Node 20 with npm on the PATH?");
        }
        File.Copy(Path.Combine(AppContext.BaseDirectory, "peer.mjs"), Path.Combine(folder, "peer.mjs"), overwrite: true);
        return new PeerProcess(Process.Start(new ProcessStartInfo("node", ["peer.mjs"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);
    }

    /// <summary>Loads a model and returns the CPU features that llama.cpp says it uses.</summary>
    public string Load(string path, int context, int threads, string cache = "F16") =>
        Ask($"load {path} {context} {threads} {cache}").GetProperty("build").GetString()!;

    /// <summary>Seconds to evaluate <paramref name="tokens"/> tokens from an empty context.</summary>
    public double Prefill(int tokens) => Seconds(string.Create(CultureInfo.InvariantCulture, $"prefill {tokens}"));

    /// <summary>Seconds to evaluate <paramref name="tokens"/> tokens one by one behind <paramref name="depth"/> tokens.</summary>
    public double Decode(int tokens, int depth) => Seconds(string.Create(CultureInfo.InvariantCulture, $"decode {tokens} {depth}"));

    /// <summary>Logits of every token after these, which follow those of the calls before.</summary>
    public float[] Logits(IEnumerable<int> ids) => Numbers("logits", ids);

    /// <summary>The vector of a text of these tokens, by an encoder.</summary>
    public float[] Vector(IEnumerable<int> ids) => Numbers("vector", ids);

    /// <summary>Seconds for steps of several tokens each, with the results of all.</summary>
    public double Batch(int steps, int rows) => Seconds(string.Create(CultureInfo.InvariantCulture, $"batch {steps} {rows}"));

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.WriteLine("exit");
            _process.StandardInput.Close();
            if (!_process.WaitForExit(5000))
                _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }

    private float[] Numbers(string verb, IEnumerable<int> ids) =>
        [.. Ask($"{verb} {string.Join(',', ids)}").GetProperty(verb).EnumerateArray().Select(number => number.GetSingle())];

    private double Seconds(string question) => Ask(question).GetProperty("ms").GetDouble() / 1000;

    private JsonElement Ask(string question)
    {
        _process.StandardInput.WriteLine(question);
        _process.StandardInput.Flush();
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The peer ended at '{question}'.");
        var answer = JsonDocument.Parse(line).RootElement;
        return answer.TryGetProperty("error", out var error)
            ? throw new InvalidOperationException($"The peer failed at '{question}': {error.GetString()}")
            : answer;
    }
}
