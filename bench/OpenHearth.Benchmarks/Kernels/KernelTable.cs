using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Benchmarks.Kernels;

/// <summary>One table of what the products reach on this processor beside the limits that the same run measures.</summary>
internal static class KernelTable
{
    private static readonly TensorType[] Usual =
    [
        TensorType.Q4_0, TensorType.Q4_1, TensorType.Q5_0, TensorType.Q5_1, TensorType.Q8_0,
        TensorType.Q2_K, TensorType.Q3_K, TensorType.Q4_K, TensorType.Q5_K, TensorType.Q6_K,
        TensorType.IQ4_XS, TensorType.F16, TensorType.BF16, TensorType.F32,
    ];

    public static int Print(string[] args)
    {
        var formats = Usual;
        int[] batches = [1, 4, 16, 512];
        var threads = CpuFeatures.Current.Cores;
        long megabytes = 512;
        var precision = Precision.Fast;
        var clock = Clock.Wall;
        foreach (var arg in args)
        {
            switch (arg.Split('='))
            {
                case ["--formats", "all"]: formats = [.. BlockFormats.All.Where(f => f.BlockSize > 1 || f.CanEncode).Select(f => f.Type)]; break;
                case ["--formats", var list]: formats = [.. list.Split(',').Select(name => Enum.Parse<TensorType>(name, ignoreCase: true))]; break;
                case ["--tokens", var list]: batches = [.. list.Split(',').Select(int.Parse)]; break;
                case ["--threads", var text]: threads = int.Parse(text); break;
                case ["--megabytes", var text]: megabytes = long.Parse(text); break;
                case ["--exact"]: precision = Precision.Exact; break;
                case ["--cpu"]: (clock, threads) = (Clock.Thread, 1); break;
                default:
                    Console.Error.WriteLine("usage: kernels [--formats=Q4_0,Q8_0|all] [--tokens=1,4,512] [--threads=2] [--megabytes=512] [--exact] [--cpu]");
                    return 2;
            }
        }
        using var pool = new ComputePool(threads);
        var peaks = CpuPeaks.Measure(pool);
        Console.WriteLine($"{CpuFeatures.Current.Name}, {pool.Level}, {threads} threads");
        Console.WriteLine(peaks.ToString());
        Console.WriteLine();
        Console.WriteLine($"{"format",-8} {"tokens",6} {"ms",9} {"GB/s",7} {"of read",8} {"GMAC/s",8} {"tokens/s ÷ 1",13}");
        foreach (var type in formats)
        {
            using var weights = new LayerStack(type, megabytes << 20);
            var single = 0.0;
            foreach (var tokens in batches)
            {
                // Large batches need no memory test: fewer layers keep the run short.
                var layers = tokens >= 64 ? Math.Min(weights.Layers, 4) : weights.Layers;
                var seconds = Median(clock, () => weights.Multiply(pool, tokens, layers, precision), tokens >= 64 ? 3 : 7);
                var bytes = weights.LayerBytes * layers;
                var macs = (double)weights.LayerValues * layers * tokens;
                var perSecond = tokens / (seconds / bytes);
                if (tokens == batches[0])
                    single = perSecond / tokens;
                Console.WriteLine(
                    $"{type,-8} {tokens,6} {seconds * 1e3 / layers,9:f3} {bytes / seconds / 1e9,7:f2} {bytes / seconds / peaks.ReadBytes,8:p0} {macs / seconds / 1e9,8:f1} {perSecond / single,13:f2}");
            }
        }
        return 0;
    }

    private static double Median(Func<TimeSpan> clock, Action action, int rounds)
    {
        action();
        var times = new double[rounds];
        for (var i = 0; i < rounds; i++)
        {
            var start = clock();
            action();
            times[i] = (clock() - start).TotalSeconds;
        }
        Array.Sort(times);
        return times[rounds / 2];
    }
}
