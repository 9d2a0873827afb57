using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.Cpu;

/// <summary>Linux hands out AMX's tile registers only to processes that ask for them, since they are 8 KiB a thread.</summary>
internal static partial class TilePermission
{
    private const int RequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
    private const int TileData = 18; // XFEATURE_XTILEDATA
    private const long ArchPrctl = 158; // x86-64

    /// <summary>True where this process may use tiles. Asked once.</summary>
    public static bool Granted { get; } = Ask();

    private static bool Ask() =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && SystemCall(ArchPrctl, RequestPermission, TileData) == 0;

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, long a, long b);
}
