using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Look-ups for <see cref="GemvCode"/>: bytes in tables of two or four lines by permutation, points of eight coordinates by loads
/// from the first cache (words of two bits a coordinate, by
/// permutation, were no faster for 256 points and slower for 512).
/// </summary>
internal static class GemvCodebook
{
    /// <summary>The points of eight columns, of which 16 groups have two each, so that a pair of vectors shares its scales.</summary>
    public static ReadOnlySpan<byte> PointsOfGroups =>
        [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15, 16, 18, 20, 22, 24, 26, 28, 30, 17, 19, 21, 23, 25, 27, 29, 31];

    /// <summary>Puts a table of bytes behind the code, in lines of 64.</summary>
    public static Label[] Lines(GemvWriter w, int bytes, Func<int, int> entry)
    {
        var lines = new Label[bytes / 64];
        for (var line = 0; line < lines.Length; line++)
            lines[line] = w.Builder.Data([.. Enumerable.Range(64 * line, 64).Select(i => (byte)entry(i))]);
        return lines;
    }

    /// <summary>Looks 64 bytes up in two lines by the lower seven bits of their index; bit 7 has no meaning.</summary>
    public static void LookUp128(GemvWriter w, AssemblerRegisterZMM target, AssemblerRegisterZMM index, ReadOnlySpan<Label> lines)
    {
        w.Asm.vmovdqa64(target, __zmmword_ptr[lines[0]]);
        w.Asm.vpermt2b(target, index, __zmmword_ptr[lines[1]]);
    }

    /// <summary>Looks 64 bytes up in four lines.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="target">Result.</param>
    /// <param name="index">Indices.</param>
    /// <param name="upper">Where bit 7 of an index is set.</param>
    /// <param name="lines">The table.</param>
    /// <param name="free">A register that may be changed.</param>
    public static void LookUp256(
        GemvWriter w, AssemblerRegisterZMM target, AssemblerRegisterZMM index, AssemblerRegisterK upper, ReadOnlySpan<Label> lines, AssemblerRegisterZMM free)
    {
        LookUp128(w, target, index, lines);
        LookUp128(w, free, index, lines[2..]);
        w.Asm.vmovdqu8(target.k(upper), free);
    }

    /// <summary>Looks 64 points up in tables of one byte each.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="targets">Results, one for each table.</param>
    /// <param name="points">The lower eight bits of their numbers.</param>
    /// <param name="upper">Receives bit 7 of them.</param>
    /// <param name="ninth">Where a number has its ninth bit; null for 256 points.</param>
    /// <param name="tables">Lines of the tables.</param>
    /// <param name="free">Registers that may be changed, the second only where there is a ninth bit.</param>
    public static void LookUp(
        GemvWriter w, GemvRegister[] targets, AssemblerRegisterZMM points, AssemblerRegisterK upper, AssemblerRegisterK? ninth, Label[][] tables,
        (AssemblerRegisterZMM First, AssemblerRegisterZMM Second) free)
    {
        w.Asm.vpmovb2m(upper, points);
        for (var k = 0; k < targets.Length; k++)
        {
            LookUp256(w, targets[k], points, upper, tables[k], free.First);
            if (ninth is not { } mask)
                continue;
            LookUp256(w, free.First, points, upper, tables[k].AsSpan(4), free.Second);
            w.Asm.vmovdqu8(targets[k].k(mask), free.First);
        }
    }

    /// <summary>Puts points of eight coordinates behind the code.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="grid">The points.</param>
    /// <param name="code">What becomes of a coordinate.</param>
    public static Label Eights(GemvWriter w, sbyte[] grid, Func<sbyte, int> code) =>
        w.Builder.Data([.. grid.Select(coordinate => (byte)code(coordinate))]);

    /// <summary>Fills a vector with eight points; their numbers are words of scratch, and r11 has the address of <see cref="Eights"/>.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="target">Receives their coordinates.</param>
    /// <param name="free">Three registers that may be changed.</param>
    /// <param name="firstWord">Word of scratch, a multiple of four: one load brings four.</param>
    public static void WriteEights(GemvWriter w, AssemblerRegisterZMM target, ReadOnlySpan<AssemblerRegisterZMM> free, int firstWord)
    {
        var a = w.Asm;
        Quarter(target, 0);
        for (var q = 1; q < 4; q++)
            Quarter(free[q - 1], q);
        a.vinserti32x4(KernelBuilder.Half(target), KernelBuilder.Half(target), KernelBuilder.Quarter(free[0]), 1);
        a.vinserti32x4(KernelBuilder.Half(free[1]), KernelBuilder.Half(free[1]), KernelBuilder.Quarter(free[2]), 1);
        a.vinserti64x4(target, target, KernelBuilder.Half(free[1]), 1);

        void Quarter(AssemblerRegisterZMM register, int quarter)
        {
            var two = KernelBuilder.Quarter(register);
            if (quarter % 2 == 0)
                a.mov(r12, __qword_ptr[w.Scratch(2 * firstWord + 4 * quarter)]);
            a.movzx(eax, r12w);
            a.shr(r12, 16);
            a.vmovq(two, __qword_ptr[r11 + rax * 8]);
            if (quarter % 2 == 0)
                a.movzx(eax, r12w);
            a.vmovhps(two, two, __qword_ptr[r11 + (quarter % 2 == 0 ? rax : r12) * 8]);
            if (quarter % 2 == 0)
                a.shr(r12, 16);
        }
    }

    /// <summary>Stores 64 bytes to scratch so that both halves can be read back soon.</summary>
    public static void StoreHalves(GemvWriter w, AssemblerRegisterZMM bytes, AssemblerRegisterZMM free)
    {
        w.Asm.vextracti64x4(KernelBuilder.Half(free), bytes, 1);
        w.Asm.vmovdqa64(__ymmword_ptr[w.Scratch(0)], KernelBuilder.Half(bytes));
        w.Asm.vmovdqa64(__ymmword_ptr[w.Scratch(32)], KernelBuilder.Half(free));
    }
}
