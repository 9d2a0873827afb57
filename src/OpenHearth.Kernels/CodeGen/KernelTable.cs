using System.Diagnostics;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>Kernels by number; each is written when it is first needed. Thread-safe; looking one up allocates nothing.</summary>
/// <param name="count">Numbers go from 0 to here, exclusively.</param>
/// <param name="write">Writes the kernel of a number.</param>
internal sealed class KernelTable(int count, Func<int, GeneratedKernel> write)
{
    private readonly GeneratedKernel?[] _kernels = new GeneratedKernel?[count];
    private readonly Lock _writing = new();

    /// <summary>The kernel of a number.</summary>
    public GeneratedKernel this[int number] => Volatile.Read(ref _kernels[number]) ?? Write(number);

    private GeneratedKernel Write(int number)
    {
        lock (_writing)
        {
            if (_kernels[number] is { } known)
                return known;
            var start = Stopwatch.GetTimestamp();
            var kernel = write(number);
            GeneratedKernels.Add(kernel, Stopwatch.GetElapsedTime(start));
            return _kernels[number] = kernel;
        }
    }
}
