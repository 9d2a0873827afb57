using System.Diagnostics;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>Kernels by number; each is written when it is first needed. Thread-safe; looking one up allocates nothing.</summary>
/// <param name="count">Room for numbers from 0 to here, exclusively; larger ones, such as those of a format that was added, make more.</param>
/// <param name="write">Writes the kernel of a number.</param>
internal sealed class KernelTable(int count, Func<int, GeneratedKernel> write)
{
    private GeneratedKernel?[] _kernels = new GeneratedKernel?[count];
    private readonly Lock _writing = new();

    /// <summary>The kernel of a number.</summary>
    public GeneratedKernel this[int number] => Find(number) ?? Write(number);

    private GeneratedKernel? Find(int number)
    {
        var kernels = Volatile.Read(ref _kernels);
        return number < kernels.Length ? Volatile.Read(ref kernels[number]) : null;
    }

    private GeneratedKernel Write(int number)
    {
        lock (_writing)
        {
            if (Find(number) is { } known)
                return known;
            var start = Stopwatch.GetTimestamp();
            var kernel = write(number);
            GeneratedKernels.Add(kernel, Stopwatch.GetElapsedTime(start));
            var kernels = _kernels;
            if (number >= kernels.Length)
                Array.Resize(ref kernels, number + 1);
            Volatile.Write(ref kernels[number], kernel);
            Volatile.Write(ref _kernels, kernels);
            return kernel;
        }
    }
}
