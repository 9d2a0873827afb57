using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace OpenHearth.Kernels.Cpu;

/// <summary>What this processor can do and what this process may use of it; found once, at first use.</summary>
/// <param name="Name">The processor's own name.</param>
/// <param name="Highest">The highest level it has.</param>
/// <param name="Level">The level in use: <paramref name="Highest"/>, or what HEARTH_CPU names if that is lower; AMX only where HEARTH_CPU names it or <see cref="TrustTiles"/> was called.</param>
/// <param name="Cores">Cores that this process may run on: affinity and container limits respected, one for each pair of hyperthreads.</param>
/// <param name="CacheBytes">Second-level cache of one core.</param>
/// <param name="Bf16">AVX-512 dot products of bf16.</param>
/// <param name="Fp16">AVX-512 arithmetic in half precision.</param>
/// <param name="AvxVnni">VNNI for 256-bit vectors in AVX's encoding.</param>
/// <param name="Instructions">Names of the extensions found, for people.</param>
public sealed record CpuFeatures(
    string Name, CpuLevel Highest, CpuLevel Level, int Cores, int CacheBytes, bool Bf16, bool Fp16, bool AvxVnni, IReadOnlyList<string> Instructions)
{
    private static readonly Lazy<CpuFeatures> Detected = new(() => Detect(Environment.GetEnvironmentVariable("HEARTH_CPU"), _tilesTrusted));

    private static volatile bool _tilesTrusted;

    /// <summary>This processor.</summary>
    /// <exception cref="InvalidOperationException">HEARTH_CPU names no level.</exception>
    public static CpuFeatures Current => Detected.Value;

    /// <summary>Levels that can run here, the plainest first.</summary>
    public static IEnumerable<CpuLevel> Available => Enum.GetValues<CpuLevel>().Where(level => level <= HighestLevel());

    /// <summary>
    /// Makes AMX the level in use of a processor that has it. Its kernels were written without one at hand, so somebody has to have seen them
    /// compute right on this one. Counts if it comes before the first use of <see cref="Current"/>.
    /// </summary>
    public static void TrustTiles() => _tilesTrusted = true;

    /// <summary>The level in use: the highest that there is up to what is wanted, whoever wants AMX being trusted; unasked, AMX only where it is trusted.</summary>
    /// <param name="wanted">What HEARTH_CPU says, or null.</param>
    /// <param name="highest">The processor's highest.</param>
    /// <param name="tilesTrusted">Whether <see cref="TrustTiles"/> was called.</param>
    internal static CpuLevel LevelInUse(string? wanted, CpuLevel highest, bool tilesTrusted)
    {
        if (string.IsNullOrWhiteSpace(wanted))
            return highest == CpuLevel.Amx && !tilesTrusted ? CpuLevel.Avx512 : highest;
        if (!Enum.TryParse<CpuLevel>(wanted.Trim(), ignoreCase: true, out var cap) || !Enum.IsDefined(cap) || !char.IsAsciiLetter(wanted.Trim()[0]) || wanted.Contains(','))
            throw new InvalidOperationException($"HEARTH_CPU is '{wanted}'; it must be scalar, vector, avx2, avx512 or amx.");
        return cap < highest ? cap : highest;
    }

    internal static CpuFeatures Detect(string? wanted, bool tilesTrusted)
    {
        var highest = HighestLevel();
        var level = LevelInUse(wanted, highest, tilesTrusted);
        var leaf7 = Leaf(7, 1);
        return new CpuFeatures(
            BrandName(), highest, level, CpuTopology.UsableCores(), CpuTopology.SecondLevelCacheBytes(),
            Bf16: highest >= CpuLevel.Avx512 && Bit(leaf7.Eax, 5),
            Fp16: highest >= CpuLevel.Avx512 && Bit(Leaf(7, 0).Edx, 23),
            AvxVnni: System.Runtime.Intrinsics.X86.AvxVnni.IsSupported,
            [.. InstructionNames()]);
    }

    private static CpuLevel HighestLevel()
    {
        if (!Avx2.IsSupported || !Fma.IsSupported)
            return CpuLevel.Vector;
        // The runtime asks the operating system about the wide registers; what it has no class for is asked here.
        var wide = Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported && Avx512Vbmi.IsSupported;
        var (_, _, ecx, edx) = Leaf(7, 0);
        const int Vnni = 11;
        const int Gfni = 8; // whoever has VNNI and VBMI has it
        if (!wide || !Bit(ecx, Vnni) || !Bit(ecx, Gfni))
            return CpuLevel.Avx2;
        return Bit(edx, 24) && Bit(edx, 22) && Bit(Leaf(7, 1).Eax, 5) && TilePermission.Granted ? CpuLevel.Amx : CpuLevel.Avx512;
    }

    private static IEnumerable<string> InstructionNames()
    {
        if (AdvSimd.IsSupported)
            yield return "AdvSimd";
        if (Dp.IsSupported)
            yield return "DotProd";
        if (!X86Base.IsSupported)
            yield break;
        var (_, _, ecx, edx) = Leaf(7, 0);
        var eax = Leaf(7, 1).Eax;
        (string Name, bool Is)[] all =
        [
            ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-VNNI", System.Runtime.Intrinsics.X86.AvxVnni.IsSupported),
            ("AVX-512", Avx512F.IsSupported), ("VBMI", Avx512Vbmi.IsSupported),
            ("VNNI", Avx512F.IsSupported && Bit(ecx, 11)), ("BF16", Avx512F.IsSupported && Bit(eax, 5)), ("FP16", Avx512F.IsSupported && Bit(edx, 23)),
            ("AMX-INT8", Bit(edx, 25) && TilePermission.Granted), ("AMX-BF16", Bit(edx, 22) && TilePermission.Granted),
        ];
        foreach (var (name, has) in all)
        {
            if (has)
                yield return name;
        }
    }

    /// <summary>What the processor calls itself.</summary>
    public static string BrandName()
    {
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
            return RuntimeInformation.ProcessArchitecture.ToString();
        Span<int> words = stackalloc int[12];
        for (var i = 0; i < 3; i++)
            (words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]) = X86Base.CpuId(unchecked((int)0x80000002) + i, 0);
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words)).TrimEnd('\0').Trim();
    }

    private static (int Eax, int Ebx, int Ecx, int Edx) Leaf(int leaf, int part) =>
        X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= leaf ? X86Base.CpuId(leaf, part) : default;

    private static bool Bit(int value, int bit) => (value >> bit & 1) != 0;
}
