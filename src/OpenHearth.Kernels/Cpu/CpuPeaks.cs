using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Cpu;

/// <summary>What this machine can do at most at this moment: the limits beside which speeds mean something.</summary>
/// <param name="ReadBytes">Bytes read from memory a second by all threads of the pool.</param>
/// <param name="ReadBytesOneThread">Bytes read from memory a second by one thread.</param>
/// <param name="FloatMacs">Multiply-adds of F32 a second, all threads.</param>
/// <param name="IntegerMacs">Multiply-adds of bytes a second with VNNI, all threads; 0 where kernels can't be generated for it.</param>
/// <param name="Bf16Macs">Multiply-adds of bf16 a second, all threads; 0 where kernels can't be generated for it.</param>
/// <param name="TileMacs">Multiply-adds of bf16 in tiles of AMX a second, all threads; 0 where that is not in use.</param>
public sealed record CpuPeaks(double ReadBytes, double ReadBytesOneThread, double FloatMacs, double IntegerMacs, double Bf16Macs, double TileMacs)
{
    private const int BufferBytes = 768 << 20;

    /// <summary>Memory that measuring takes.</summary>
    public const long MemoryBytes = BufferBytes;

    /// <summary>Measures for about a second and takes the best of several rounds. Needs 768 MiB of memory meanwhile.</summary>
    public static CpuPeaks Measure(ComputePool pool)
    {
        using var buffer = new NativeBuffer<byte>(BufferBytes);
        using var alone = new ComputePool(1, pool.Level);
        var generated = pool.Level >= CpuLevel.Avx512 && GeneratedKernels.Refusal is null;
        return new CpuPeaks(
            Best(5, () => Read(pool, buffer)),
            Best(3, () => Read(alone, buffer)),
            Best(5, () => generated ? Generated(pool, PeakKernel.Float, PeakKernel.FloatMacs) : FloatMultiplyAdds(pool)),
            generated ? Best(5, () => Generated(pool, PeakKernel.Integer, PeakKernel.IntegerMacs)) : 0,
            generated && CpuFeatures.Current.Bf16 ? Best(5, () => Generated(pool, PeakKernel.Bf16, PeakKernel.Bf16Macs)) : 0,
            generated && pool.Level >= CpuLevel.Amx ? Best(5, () => Generated(pool, TileKernel.Peak, TileKernel.PeakMacs)) : 0);
    }

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"read {ReadBytes / 1e9:f1} GB/s (one thread {ReadBytesOneThread / 1e9:f1}), F32 {FloatMacs / 1e9:f0} GMAC/s, VNNI {IntegerMacs / 1e9:f0}, bf16 {Bf16Macs / 1e9:f0}{(TileMacs > 0 ? $", bf16 tiles {TileMacs / 1e9:f0}" : "")}";

    private static double Best(int rounds, Func<double> measure) => Enumerable.Range(0, rounds).Max(_ => measure());

    private static double Read(ComputePool pool, NativeBuffer<byte> buffer)
    {
        var job = new ReadJob { Buffer = buffer };
        var start = Stopwatch.GetTimestamp();
        pool.Run(ref job, 64 * pool.Threads);
        return BufferBytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double FloatMultiplyAdds(ComputePool pool)
    {
        const int rounds = 400_000;
        var job = new FloatJob { Rounds = rounds };
        var start = Stopwatch.GetTimestamp();
        pool.Run(ref job);
        return (double)FloatJob.MultiplyAddsPerRound * rounds * pool.Threads / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Generated(ComputePool pool, GeneratedKernel kernel, int macs)
    {
        const long rounds = 400_000;
        var job = new GeneratedJob { Kernel = kernel, Rounds = rounds };
        var start = Stopwatch.GetTimestamp();
        pool.Run(ref job);
        return (double)macs * rounds * pool.Threads / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private unsafe struct GeneratedJob : IJob
    {
        public GeneratedKernel Kernel;
        public long Rounds;

        public readonly void Execute(int part, int parts)
        {
            var rounds = Rounds;
            Kernel.Run(&rounds);
        }
    }

    // Four streams side by side, prefetched: one stream leaves a part of the bandwidth unused.
    private unsafe struct ReadJob : IJob
    {
        private const int Ahead = 2048;

        public NativeBuffer<byte> Buffer;
        public long Sink;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int part, int parts)
        {
            var stream = Buffer.Length / parts / 4 / 128 * 128;
            var p = Buffer.Pointer + part * 4 * stream;
            var (a, b, c, d) = (Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero, Vector512<long>.Zero);
            for (var end = p + stream; p < end; p += 128)
            {
                a |= Read(p);
                b |= Read(p + stream);
                c |= Read(p + 2 * stream);
                d |= Read(p + 3 * stream);
            }
            Sink = (a | b | c | d)[0];
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<long> Read(byte* p)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(p + Ahead);
                Sse.Prefetch0(p + Ahead + 64);
            }
            return Vector512.Load((long*)p) | Vector512.Load((long*)(p + 64));
        }
    }

    private struct FloatJob : IJob
    {
        public int Rounds;
        public float Sink;

        public static int MultiplyAddsPerRound => 12 * 8;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int part, int parts)
        {
            var (f, g) = (Vector256.Create(0.5f), Vector256.Create(0.25f));
            Vector256<float> a = default, b = default, c = default, d = default, e = default, h = default;
            Vector256<float> i = default, j = default, k = default, l = default, m = default, n = default;
            for (var round = 0; round < Rounds; round++)
            {
                a = Vector256.MultiplyAddEstimate(a, f, g);
                b = Vector256.MultiplyAddEstimate(b, f, g);
                c = Vector256.MultiplyAddEstimate(c, f, g);
                d = Vector256.MultiplyAddEstimate(d, f, g);
                e = Vector256.MultiplyAddEstimate(e, f, g);
                h = Vector256.MultiplyAddEstimate(h, f, g);
                i = Vector256.MultiplyAddEstimate(i, f, g);
                j = Vector256.MultiplyAddEstimate(j, f, g);
                k = Vector256.MultiplyAddEstimate(k, f, g);
                l = Vector256.MultiplyAddEstimate(l, f, g);
                m = Vector256.MultiplyAddEstimate(m, f, g);
                n = Vector256.MultiplyAddEstimate(n, f, g);
            }
            Sink = Vector256.Sum(a + b + c + d + e + h + i + j + k + l + m + n);
        }
    }
}
