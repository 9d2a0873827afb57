using System.Runtime.InteropServices;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// The product of two panels of plain numbers with a tile of tokens: rows in lanes, one accumulator for each panel and
/// token. A panel is <c>[columns][16 rows]</c> F32, or <c>[columns / 2][16 rows][2]</c> bf16; a tile <c>[columns][tokens]</c>
/// alike. Both are taken for double words here; only one instruction differs.
/// </summary>
internal static class FloatGemmKernel
{
    /// <summary>Most tokens of a tile.</summary>
    public const int MostTokens = 12;

    /// <summary>Most panels of a kernel.</summary>
    public const int MostPanels = 2;

    private const int Unrolled = 4;

    private static readonly KernelTable Kernels = new(2 * MostPanels * MostTokens, number =>
        Write(number / (MostPanels * MostTokens) != 0, number / MostTokens % MostPanels + 1, number % MostTokens + 1));

    /// <summary>The kernel for this processor.</summary>
    public static GeneratedKernel Get(bool bf16, int panels, int tokens) =>
        Kernels[((bf16 ? MostPanels : 0) + panels - 1) * MostTokens + tokens - 1];

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Panels;
        public long PanelBytes; // from one panel to the next
        public byte* Tile;
        public float* Y; // [tokens, panels · 16], overwritten
        public long YStride; // bytes from a token's results to the next one's
        public long LastRows; // bits of the rows of the last panel that exist
        public long Steps; // double words of a row, divided by 4
    }

    private static GeneratedKernel Write(bool bf16, int panels, int tokens)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (panel, stride, tile, y, yStride, steps) = (rsi, r8, rdx, rax, r9, rcx);
        a.mov(panel, __[rdi]);
        a.mov(stride, __[rdi + 8]);
        a.mov(tile, __[rdi + 16]);
        a.mov(y, __[rdi + 24]);
        a.mov(yStride, __[rdi + 32]);
        a.kmovq(k1, __qword_ptr[rdi + 40]);
        a.mov(steps, __[rdi + 48]);
        var sums = b.Vectors("sum", panels * tokens);
        var weights = b.Vectors("weights", panels);
        var activation = b.Vector("activation");
        foreach (var sum in sums)
            a.vpxord(sum, sum, sum);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        for (var i = 0; i < Unrolled; i++)
        {
            for (var p = 0; p < panels; p++)
                a.vmovups(weights[p], p == 0 ? __zmmword_ptr[panel + 64 * i] : __zmmword_ptr[panel + stride + 64 * i]);
            for (var t = 0; t < tokens; t++)
            {
                a.vbroadcastss(activation, __dword_ptr[tile + (i * tokens + t) * 4]);
                for (var p = 0; p < panels; p++)
                {
                    if (bf16)
                        a.vdpbf16ps(sums[t * panels + p], weights[p], activation);
                    else
                        a.vfmadd231ps(sums[t * panels + p], weights[p], activation);
                }
            }
        }
        a.add(panel, 64 * Unrolled);
        a.add(tile, 4 * Unrolled * tokens);
        a.dec(steps);
        a.jne(loop);
        for (var t = 0; t < tokens; t++)
        {
            for (var p = 0; p < panels - 1; p++)
                a.vmovups(__zmmword_ptr[y + 64 * p], sums[t * panels + p]);
            a.vmovups(__zmmword_ptr[y + 64 * (panels - 1)].k1, sums[t * panels + panels - 1]);
            a.add(y, yStride);
        }
        return b.Build($"gemm {panels * PanelLayout.Rows} rows × {tokens} tokens, {(bf16 ? "bf16" : "F32")}");
    }
}
