using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// The product of a few rows of weights with 16 or 32 tokens, both bf16: tokens in lanes, one accumulator for each row and
/// 16 tokens. Rows lie as they are decoded; only the activations are laid out.
/// </summary>
internal static class Bf16BatchKernel
{
    /// <summary>Tokens in a vector.</summary>
    public const int Lanes = 16;

    /// <summary>Most vectors of tokens.</summary>
    public const int MostVectors = 2;

    private const int Unrolled = 4;

    private static readonly KernelTable Kernels = new(MostVectors, number => Write(number + 1));

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Rows; // [rows, columns] bf16
        public long RowStride; // bytes from one row to the next
        public byte* Panels; // [vectors][columns / 2][16 tokens][2] bf16
        public long PanelBytes; // from one vector's panel to the next
        public float* Sums; // [rows][vectors][16], added to
        public long Steps; // columns / 8
        public byte* Next; // what is wanted next; need not exist
        public long NextStep; // bytes of it to fetch for two columns
    }

    /// <summary>Rows that a kernel takes at once.</summary>
    public static int RowsFor(int vectors) => 16 / vectors;

    /// <summary>The kernel for so many vectors of tokens.</summary>
    public static GeneratedKernel Get(int vectors) => Kernels[vectors - 1];

    private static GeneratedKernel Write(int vectors)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var rows = RowsFor(vectors);
        var (stride, stride3, panel, panelBytes, steps) = (r8, r9, rdx, rcx, rax);
        AssemblerRegister64[] bases = [rsi, r10, r11, rbx];
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.push(r13);
        a.mov(rsi, __[rdi]);
        a.mov(stride, __[rdi + 8]);
        a.mov(panel, __[rdi + 16]);
        a.mov(panelBytes, __[rdi + 24]);
        a.mov(rbp, __[rdi + 32]);
        a.mov(steps, __[rdi + 40]);
        a.mov(r12, __[rdi + 48]);
        a.mov(r13, __[rdi + 56]);
        a.lea(stride3, __[stride + stride * 2]);
        for (var i = 1; i < rows / 4; i++)
            a.lea(bases[i], __[bases[i - 1] + stride * 4]);
        var sums = b.Vectors("sum", rows * vectors);
        var activations = b.Vectors("activations", vectors);
        var weights = b.Vector("weights");
        for (var i = 0; i < sums.Length; i++)
            a.vmovups(sums[i], __zmmword_ptr[rbp + 64 * i]);

        AssemblerMemoryOperand Row(int r, int offset) => KernelBuilder.Row(r, bases, stride, stride3) + offset;

        var loop = a.CreateLabel();
        a.Label(ref loop);
        for (var i = 0; i < Unrolled; i++)
        {
            a.prefetcht1(__byte_ptr[r12]);
            a.add(r12, r13);
            for (var v = 0; v < vectors; v++)
                a.vmovups(activations[v], v == 0 ? __zmmword_ptr[panel + 64 * i] : __zmmword_ptr[panel + panelBytes + 64 * i]);
            for (var r = 0; r < rows; r++)
            {
                if (vectors == 1)
                {
                    a.vdpbf16ps(sums[r], activations[0], __dword_bcst[Row(r, 4 * i)]);
                    continue;
                }
                a.vbroadcastss(weights, __dword_ptr[Row(r, 4 * i)]);
                for (var v = 0; v < vectors; v++)
                    a.vdpbf16ps(sums[r * vectors + v], activations[v], weights);
            }
        }
        for (var i = 0; i < rows / 4; i++)
            a.add(bases[i], 4 * Unrolled);
        a.add(panel, 64 * Unrolled);
        a.dec(steps);
        a.jne(loop);
        for (var i = 0; i < sums.Length; i++)
            a.vmovups(__zmmword_ptr[rbp + 64 * i], sums[i]);
        a.pop(r13);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
        return b.Build($"gemm {rows} rows × {vectors * Lanes} tokens in lanes, bf16");
    }
}
