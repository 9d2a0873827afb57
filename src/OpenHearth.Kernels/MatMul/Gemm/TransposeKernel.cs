using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Lays up to 16 rows of double words out side by side, 16 columns at a time; generated, since compiled code keeps part of
/// the 16 vectors in memory. <see cref="Transpose16"/> is its twin.
/// </summary>
internal static class TransposeKernel
{
    private const int Rows = 16;

    private static readonly KernelTable Kernels = new(Rows, number => Write(number + 1));

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Source; // [rows, 16 · steps] double words
        public long Stride; // bytes from one row to the next
        public byte* Target; // [16 · steps, rows] double words; 64 bytes behind it may be overwritten
        public long Steps;
    }

    /// <summary>The kernel for 1 to 16 rows.</summary>
    public static GeneratedKernel Get(int rows) => Kernels[rows - 1];

    private static GeneratedKernel Write(int rows)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (stride, stride3, target, steps) = (r8, r9, rdx, rcx);
        AssemblerRegister64[] bases = [rsi, r10, r11, rax]; // of rows 0, 4, 8 and 12
        a.mov(rsi, __[rdi]);
        a.mov(stride, __[rdi + 8]);
        a.mov(target, __[rdi + 16]);
        a.mov(steps, __[rdi + 24]);
        a.lea(stride3, __[stride + stride * 2]);
        for (var i = 1; i < bases.Length; i++)
            a.lea(bases[i], __[bases[i - 1] + stride * 4]);
        var m = b.Vectors("row", Rows);
        var t = b.Vectors("pair", 4);
        foreach (var row in m)
            a.vpxord(row, row, row);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        for (var r = 0; r < rows; r++)
            a.vmovdqu64(m[r], __zmmword_ptr[KernelBuilder.Row(r, bases, stride, stride3)]);
        for (var q = 0; q < Rows; q += 4)
            Quad(a, m.AsSpan(q, 4), t);
        for (var q = 0; q < 4; q++)
            Parts(a, [m[q], m[4 + q], m[8 + q], m[12 + q]], t);
        for (var k = 0; k < Rows; k++)
            a.vmovdqu64(__zmmword_ptr[target + 4 * rows * k], m[k]);
        foreach (var place in bases)
            a.add(place, 64);
        a.add(target, 64 * rows);
        a.dec(steps);
        a.jne(loop);
        return b.Build($"transpose {rows} rows");
    }

    // Fours of rows are interleaved within 128-bit parts.
    private static void Quad(Assembler a, ReadOnlySpan<AssemblerRegisterZMM> m, AssemblerRegisterZMM[] t)
    {
        a.vpunpckldq(t[0], m[0], m[1]);
        a.vpunpckhdq(t[1], m[0], m[1]);
        a.vpunpckldq(t[2], m[2], m[3]);
        a.vpunpckhdq(t[3], m[2], m[3]);
        a.vpunpcklqdq(m[0], t[0], t[2]);
        a.vpunpckhqdq(m[1], t[0], t[2]);
        a.vpunpcklqdq(m[2], t[1], t[3]);
        a.vpunpckhqdq(m[3], t[1], t[3]);
    }

    // Part p of vector k of quad q holds column 4p + k of rows 4q to 4q + 3; the parts change places.
    private static void Parts(Assembler a, ReadOnlySpan<AssemblerRegisterZMM> m, AssemblerRegisterZMM[] t)
    {
        a.vshufi32x4(t[0], m[0], m[1], 0x88);
        a.vshufi32x4(t[1], m[0], m[1], 0xDD);
        a.vshufi32x4(t[2], m[2], m[3], 0x88);
        a.vshufi32x4(t[3], m[2], m[3], 0xDD);
        a.vshufi32x4(m[0], t[0], t[2], 0x88);
        a.vshufi32x4(m[1], t[1], t[3], 0x88);
        a.vshufi32x4(m[2], t[0], t[2], 0xDD);
        a.vshufi32x4(m[3], t[1], t[3], 0xDD);
    }
}
