using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Products of bf16 with AMX: up to two panels of 16 rows with up to two tiles of 16 tokens, one accumulating tile register
/// for each pair. A panel is <c>[columns / 2][16 rows][2]</c>, a tile of tokens <c>[columns / 32][16 tokens][32]</c>; 32
/// columns of either are 1024 bytes on end and fill a tile register. Sums are those of Intel's manual for TDPBF16PS: of even
/// and of odd columns apart, rounded to nearest even, numbers below the smallest normal one taken for zero.
/// </summary>
internal static class TileKernel
{
    /// <summary>Tokens of a tile, and rows of a panel.</summary>
    public const int Lanes = 16;

    /// <summary>Most panels, and most tiles, of a kernel.</summary>
    public const int Most = 2;

    /// <summary>Columns that fill a tile register, and its bytes.</summary>
    public const int StepColumns = 32, StepBytes = 1024;

    private static readonly AssemblerRegisterTMM[] Sums = [tmm0, tmm1, tmm2, tmm3], Tokens = [tmm4, tmm5], Rows = [tmm6, tmm7];

    private const int Special = 3;

    private static readonly KernelTable Kernels = new(Special + Most * Most, number => number switch
    {
        0 => WriteConfigure(),
        1 => WriteRelease(),
        2 => WritePeak(),
        _ => Write((number - Special) / Most + 1, (number - Special) % Most + 1),
    });

    /// <summary>Makes all tile registers of the calling thread 16 rows of 64 bytes; reads no argument.</summary>
    public static GeneratedKernel Configure => Kernels[0];

    /// <summary>Gives the tile registers of the calling thread up, so that a thread that rests has none to be saved; reads no argument.</summary>
    public static GeneratedKernel Release => Kernels[1];

    /// <summary>Products of two panels and two tiles with the loads that they need, from the first-level cache: what a core can do at most. Its argument points to the number of rounds.</summary>
    public static GeneratedKernel Peak => Kernels[2];

    /// <summary>Multiply-adds of a round of <see cref="Peak"/>.</summary>
    public static int PeakMacs => Most * Lanes * Most * Lanes * StepColumns;

    /// <summary>The kernel for so many panels and tiles; the thread must be configured.</summary>
    public static GeneratedKernel Get(int panels, int tiles) => Kernels[Special + (panels - 1) * Most + tiles - 1];

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Panels;
        public long PanelBytes; // from one panel to the next
        public byte* Tiles;
        public long TileBytes; // from one tile to the next
        public float* Y; // [tiles · 16, panels · 16], overwritten
        public long YStride; // bytes from a token's results to the next one's
        public long Steps; // of 32 columns
    }

    // What LDTILECFG reads: palette 1, then for each of eight registers the bytes of a row in 16 bits, and the rows.
    private static byte[] Configuration()
    {
        var configuration = new byte[64];
        configuration[0] = 1;
        for (var i = 0; i < 8; i++)
            (configuration[16 + 2 * i], configuration[48 + i]) = (64, Lanes);
        return configuration;
    }

    private static GeneratedKernel Write(int panels, int tiles)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (y, yStride, steps, rowBytes) = (rdx, rcx, rax, r8);
        AssemblerRegister64[] panel = [rsi, r9], tile = [r10, r11];
        a.mov(panel[0], __[rdi]);
        a.mov(panel[1], __[rdi + 8]);
        a.mov(tile[0], __[rdi + 16]);
        a.mov(tile[1], __[rdi + 24]);
        a.mov(y, __[rdi + 32]);
        a.mov(yStride, __[rdi + 40]);
        a.mov(steps, __[rdi + 48]);
        a.add(panel[1], panel[0]);
        a.add(tile[1], tile[0]);
        a.mov(rowBytes, 64);
        for (var i = 0; i < panels * tiles; i++)
            a.tilezero(Sums[i]);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        Multiply(a, panels, tiles, p => __[panel[p] + rowBytes], t => __[tile[t] + rowBytes]);
        foreach (var place in panel.Take(panels).Concat(tile.Take(tiles)))
            a.add(place, StepBytes);
        a.dec(steps);
        a.jne(loop);
        for (var t = 0; t < tiles; t++)
        {
            for (var p = 0; p < panels; p++)
                a.tilestored(__[y + yStride + 64 * p], Sums[t * panels + p]);
            if (t == tiles - 1)
                break;
            a.mov(steps, yStride);
            a.shl(steps, 4);
            a.add(y, steps);
        }
        return b.Build($"gemm {panels * Lanes} rows × {tiles * Lanes} tokens, bf16 tiles");
    }

    // Each product follows the load that it waited for, so that loads and products overlap.
    private static void Multiply(Assembler a, int panels, int tiles, Func<int, AssemblerMemoryOperand> panel, Func<int, AssemblerMemoryOperand> tile)
    {
        for (var t = 0; t < tiles; t++)
        {
            a.tileloadd(Tokens[t], tile(t));
            for (var p = 0; p < panels; p++)
            {
                if (t == 0)
                    a.tileloadd(Rows[p], panel(p));
                a.tdpbf16ps(Sums[t * panels + p], Tokens[t], Rows[p]);
            }
        }
    }

    private static GeneratedKernel WritePeak()
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (operands, rounds, rowBytes) = (rsi, rcx, r8);
        a.ldtilecfg(__[b.Data(Configuration())]);
        a.lea(operands, __[b.Data(new byte[2 * Most * StepBytes])]);
        a.mov(rounds, __[rdi]);
        a.mov(rowBytes, 64);
        foreach (var sum in Sums)
            a.tilezero(sum);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        Multiply(a, Most, Most, p => __[operands + rowBytes + p * StepBytes], t => __[operands + rowBytes + (Most + t) * StepBytes]);
        a.dec(rounds);
        a.jne(loop);
        a.tilerelease();
        return b.Build("peak of bf16 tiles");
    }

    private static GeneratedKernel WriteConfigure()
    {
        var b = new KernelBuilder();
        b.Asm.ldtilecfg(__[b.Data(Configuration())]);
        return b.Build("configure tiles");
    }

    private static GeneratedKernel WriteRelease()
    {
        var b = new KernelBuilder();
        b.Asm.tilerelease();
        return b.Build("release tiles");
    }
}
