using System.Text;
using OpenHearth.Benchmarks.Kernels;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Benchmarks.Engine.Tokenization;

/// <summary>The speed of a tokenizer on one thread, and what each call allocates.</summary>
internal static class TokenizerTable
{
    public static int Print(string[] args)
    {
        var (model, file, clock) = (TokenizerInput.Model, TokenizerInput.Text, (Func<TimeSpan>)Clock.Wall);
        foreach (var arg in args)
        {
            switch (arg.Split('=', 2))
            {
                case ["--model", var path]: model = path; break;
                case ["--text", var path]: file = path; break;
                case ["--cpu"]: clock = Clock.Thread; break;
                default:
                    Console.Error.WriteLine("usage: tokenizer [--model=F.gguf|tokenizer.json] [--text=F] [--cpu]");
                    return 2;
            }
        }
        var start = clock();
        var tokenizer = Tokenizer.FromFile(model);
        var cold = clock() - start;
        var text = File.ReadAllText(file);
        var bytes = Encoding.UTF8.GetByteCount(text);
        var lines = text.Split('\n');
        var ids = new List<int>(text.Length);
        Console.WriteLine($"{CpuName()}; {Path.GetFileName(model)}; {Path.GetFileName(file)}, {bytes} bytes, {tokenizer.Encode(text).Length} tokens");
        Console.WriteLine($"open, first time: {cold.TotalMilliseconds:F1} ms");
        Row("open", 1, 0, () => Tokenizer.FromFile(model));
        Row("encode, one call", 1, bytes, () => Encode([text]));
        Row("encode, line by line", lines.Length, bytes, () => Encode(lines));
        var encoded = tokenizer.Encode(text);
        Row("decode", 1, bytes, () => tokenizer.Decode(encoded));
        return 0;

        void Encode(string[] texts)
        {
            ids.Clear();
            foreach (var part in texts)
                tokenizer.Encode(part, ids, new EncodeOptions());
        }

        void Row(string name, int calls, int size, Action run)
        {
            var times = new List<double>();
            var allocated = 0L;
            for (var i = 0; i < 25; i++)
            {
                var (before, begin) = (GC.GetAllocatedBytesForCurrentThread(), clock());
                run();
                times.Add((clock() - begin).TotalMilliseconds);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }
            // The first rounds are the JIT's.
            var sorted = times[10..].Order().ToArray();
            var speed = size > 0 ? $"{size / sorted[7] / 1e3,8:F1} MB/s (worst {size / sorted[^1] / 1e3:F1}, best {size / sorted[0] / 1e3:F1})" : "";
            Console.WriteLine($"{name,-22} {sorted[7],9:F2} ms {(double)allocated / calls,12:F0} bytes a call {speed}");
        }
    }

    private static string CpuName()
    {
        const string Key = "model name";
        var line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 2)..] ?? "unknown processor";
    }
}
