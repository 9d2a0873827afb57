using System.Runtime.InteropServices;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.MatMul;

/// <summary>Memory that ends where a forbidden page begins: whoever reads a byte too many ends the process.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int Page = 4096;

    private readonly nint _pages;
    private readonly nuint _length;

    public GuardedMemory(int bytes)
    {
        Bytes = bytes;
        _length = (nuint)((bytes + Page - 1) / Page * Page + Page);
        if (!OperatingSystem.IsLinux())
        {
            _pages = (nint)NativeMemory.Alloc(_length);
            return;
        }
        _pages = MemoryMap(0, _length, 3, 0x22, -1, 0);
        Assert.NotEqual(-1, _pages);
        Assert.Equal(0, Protect(_pages + (nint)_length - Page, Page, 0));
    }

    public int Bytes { get; }

    public Span<byte> Span => new(Start, Bytes);

    public MemoryRegion Region => new(Start, Bytes);

    private byte* Start => (byte*)_pages + _length - Page - Bytes;

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
            _ = Unmap(_pages, _length);
        else
            NativeMemory.Free((void*)_pages);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
