using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>
/// Pages for generated code: written first, made executable afterwards, never both at once. They are kept until the
/// process ends, since a kernel may run on any thread at any time.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int Private = 2, Anonymous = 0x20;

    /// <summary>Why code can't be generated in this process; null where it can.</summary>
    public static string? Refusal { get; } = Probe();

    /// <summary>Reserves writable pages.</summary>
    /// <exception cref="InsufficientMemoryException">The system gives none.</exception>
    public static byte* Reserve(int bytes)
    {
        var pages = MemoryMap(0, Round(bytes), Read | Write, Private | Anonymous, -1, 0);
        return pages == -1 ? throw new InsufficientMemoryException("No memory for generated code.") : (byte*)pages;
    }

    /// <summary>Makes reserved pages executable and no longer writable.</summary>
    /// <exception cref="NotSupportedException">The system forbids it.</exception>
    public static void Seal(byte* pages, int bytes)
    {
        if (Protect((nint)pages, Round(bytes), Read | Execute) != 0)
            throw new NotSupportedException("This system forbids code generated at run time.");
    }

    private static nuint Round(int bytes) => (nuint)(bytes + 4095) / 4096 * 4096;

    // Runs one "ret": a system may allow the call and still kill the page.
    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return "generated kernels are written for Linux on x64";
        var pages = MemoryMap(0, 4096, Read | Write, Private | Anonymous, -1, 0);
        if (pages == -1)
            return "the system gives no memory for generated code";
        *(byte*)pages = 0xC3;
        var sealedWell = Protect(pages, 4096, Read | Execute) == 0;
        if (sealedWell)
            ((delegate* unmanaged<void>)pages)();
        _ = Unmap(pages, 4096);
        return sealedWell ? null : "the system forbids code generated at run time";
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
