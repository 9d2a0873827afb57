using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Vectors;

/// <summary>A loop over rows that is compiled for every vector width; rows are independent of each other.</summary>
internal interface IRowKernel
{
    /// <summary>Does rows <paramref name="first"/> to <paramref name="end"/> - 1.</summary>
    void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct;
}

/// <summary>Runs a row kernel with the widest vectors that the pool may use, on all threads where that pays.</summary>
internal static class RowKernel
{
    // Below this, waking another thread costs more than the work it takes over.
    private const long ParallelValues = 32 * 1024;

    /// <summary>Runs <paramref name="kernel"/> over <paramref name="rows"/> rows of about <paramref name="width"/> values.</summary>
    public static void Run<TKernel>(ComputePool pool, TKernel kernel, int rows, int width) where TKernel : struct, IRowKernel
    {
        var job = new Job<TKernel> { Kernel = kernel, Rows = rows, Level = pool.Level };
        if (rows < 2 || (long)rows * width < ParallelValues)
            job.Execute(0, 1);
        else
            pool.Run(ref job);
    }

    /// <summary>Runs rows of a kernel on the calling thread, with the widest vectors of a level.</summary>
    public static void RunWidest<TKernel>(CpuLevel level, ref TKernel kernel, int first, int end) where TKernel : struct, IRowKernel
    {
        if (level >= CpuLevel.Avx512)
            kernel.Run<Simd512, Vector512<float>>(first, end);
        else if (level >= CpuLevel.Avx2)
            kernel.Run<Simd256, Vector256<float>>(first, end);
        else if (level >= CpuLevel.Vector)
            kernel.Run<Simd128, Vector128<float>>(first, end);
        else
            kernel.Run<SimdScalar, float>(first, end);
    }

    private struct Job<TKernel> : IJob where TKernel : struct, IRowKernel
    {
        public TKernel Kernel;
        public int Rows;
        public CpuLevel Level;

        public void Execute(int part, int parts) =>
            RunWidest(Level, ref Kernel, (int)((long)Rows * part / parts), (int)((long)Rows * (part + 1) / parts));
    }
}
