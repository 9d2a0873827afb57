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
    /// <summary>
    /// The order in which <see cref="WriteEights"/> fills vectors for groups of 32: a quarter of
    /// two neighbouring vectors is a group, so that they share their scales.
    /// </summary>
    public static ReadOnlySpan<byte> PairedOrder => [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15];

    /// <summary>The order of the columns.</summary>
    public static ReadOnlySpan<byte> PlainOrder => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

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

    /// <summary>Fills a vector with eight points.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="points">From <see cref="Eights"/>.</param>
    /// <param name="target">Receives their coordinates.</param>
    /// <param name="free">Three registers that may be changed.</param>
    /// <param name="load">Loads the number of a point, of which there are eight, into eax.</param>
    public static void WriteEights(GemvWriter w, Label points, AssemblerRegisterZMM target, ReadOnlySpan<AssemblerRegisterZMM> free, Action<int> load)
    {
        var a = w.Asm;
        a.lea(r11, __[points]);
        Quarter(target, 0);
        for (var q = 1; q < 4; q++)
            Quarter(free[q - 1], q);
        a.vinserti32x4(KernelBuilder.Half(target), KernelBuilder.Half(target), KernelBuilder.Quarter(free[0]), 1);
        a.vinserti32x4(KernelBuilder.Half(free[1]), KernelBuilder.Half(free[1]), KernelBuilder.Quarter(free[2]), 1);
        a.vinserti64x4(target, target, KernelBuilder.Half(free[1]), 1);

        void Quarter(AssemblerRegisterZMM register, int quarter)
        {
            var two = KernelBuilder.Quarter(register);
            load(2 * quarter);
            a.vmovq(two, __qword_ptr[r11 + rax * 8]);
            load(2 * quarter + 1);
            a.vmovhps(two, two, __qword_ptr[r11 + rax * 8]);
        }
    }

    /// <summary>Loads the next of four words at a time, in whose numbers there is nothing else: for <see cref="WriteEights"/>.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="index">Word of scratch; they are taken in their order.</param>
    public static void NextWord(GemvWriter w, int index)
    {
        // One load for four.
        if (index % 4 == 0)
            w.Asm.mov(r12, __qword_ptr[w.Scratch(2 * index)]);
        w.Asm.movzx(eax, r12w);
        if (index % 4 < 3)
            w.Asm.shr(r12, 16);
    }

    /// <summary>Stores 64 bytes to scratch so that both halves can be read back soon.</summary>
    public static void StoreHalves(GemvWriter w, AssemblerRegisterZMM bytes, AssemblerRegisterZMM free)
    {
        w.Asm.vextracti64x4(KernelBuilder.Half(free), bytes, 1);
        w.Asm.vmovdqa64(__ymmword_ptr[w.Scratch(0)], KernelBuilder.Half(bytes));
        w.Asm.vmovdqa64(__ymmword_ptr[w.Scratch(32)], KernelBuilder.Half(free));
    }
}
