using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -4 to 3.</summary>
internal sealed unsafe class Q3_KCodes() : RowCodes(TensorType.Q3_K, 16, hasMins: false, new Q3_KGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 110, codes += 256, scales += 16)
        {
            UnpackScales(row + 96, Half(row + 108), scales);
            var high = Vector256.Load(row);
            for (var k = 0; k < 8; k++)
            {
                var low = Vector256.Load(row + 32 + 32 * (k / 4)) >> 2 * (k % 4) & Vector256.Create((byte)3);
                // Without the third bit a code lies 4 lower.
                var missing = Vector256.Equals(high & Vector256.Create((byte)(1 << k)), Vector256<byte>.Zero) & Vector256.Create((byte)0xFC);
                (low | missing).Store((byte*)codes + 32 * k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackScales(byte* packed, float d, float* scales)
    {
        var low = *(ulong*)packed;
        ulong high = *(uint*)(packed + 8);
        var first = low & 0x0F0F0F0F0F0F0F0F | (high & 0x03030303 | (high >> 2 & 0x03030303) << 32) << 4;
        var second = low >> 4 & 0x0F0F0F0F0F0F0F0F | (high >> 4 & 0x03030303 | (high >> 6 & 0x03030303) << 32) << 4;
        ((Singles(first) - Vector256.Create(32f)) * d).Store(scales);
        ((Singles(second) - Vector256.Create(32f)) * d).Store(scales + 8);
    }
}

/// <summary>
/// A block a step. A vector holds 32 codes of the first half and 32 of the second. As in Q2_K the products scale · code
/// are looked up, moved up by <see cref="Shift"/>: from -124 to 128 they all fit. A table serves two vectors.
/// </summary>
internal sealed class Q3_KGemv : GemvCode
{
    private const int Shift = 124;

    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override int Offset => Shift;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("low bits", 3);
        var four = b.ConstantBytes("high bit", 4);
        var second = b.ConstantBytes("second vector of a table", 8);
        var (bytes, high, code) = (w.Vector("bytes, then factor"), w.Vector("high bits"), w.Vector("codes"));
        var (scales, table) = (w.Vector("scales"), w.Vector("products"));
        var writeTable = WriteTable(w, scales, table);
        var (lower, upper) = (b.Data([.. Enumerable.Repeat((byte)15, 64)]), b.Data([.. Enumerable.Repeat((byte)48, 64)]));
        w.Ahead(() => WriteScales(w, lower, upper));
        var halves = w.HalvesAhead(102);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovq(KernelBuilder.Quarter(scales), __qword_ptr[w.Scratch(0)]);
            a.vmovhps(KernelBuilder.Quarter(scales), KernelBuilder.Quarter(scales), __qword_ptr[w.Scratch(8)]);
            // Rotations would take the units that multiply.
            a.vpsllq(KernelBuilder.Half(high), __ymmword_ptr[w.Block], 2);
            a.vpsrlq(KernelBuilder.Half(bytes), __ymmword_ptr[w.Block], 2);
            a.vinserti64x4(high, high, KernelBuilder.Half(bytes), 1);
            a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 32]);
            for (var k = 0; k < 4; k++)
            {
                if (k % 2 == 0)
                    writeTable(k / 2);
                if (k > 0)
                {
                    a.vpsrlw(code, bytes, (byte)(2 * k));
                    a.vpsrlq(high, high, 1);
                }
                if (k == 0)
                    a.vpandd(code, bytes, three);
                else if (k % 2 == 0)
                    a.vpandd(code, code, three);
                else
                    a.vpternlogd(code, three, second, GemvWriter.AndOr);
                a.vpternlogd(code, high, four, GemvWriter.OrAnd);
                a.vpshufb(code, table, code);
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            halves(bytes, 3);
            yield return GemvWriter.Multiply(bytes, (code, 3));
        }
    }

    // Six bits, 32 too large: lower parts of four, then upper ones of two, as in UnpackScales. Units of vectors have more to do than others.
    private static void WriteScales(GemvWriter w, Label lower, Label upper)
    {
        var a = w.Asm;
        a.mov(r11d, __dword_ptr[w.Block + 104]);
        a.mov(r12, r11);
        a.shl(r12, 30);
        a.or(r11, r12);
        a.mov(r12, r11);
        a.shl(r12, 4);
        a.and(r12, __qword_ptr[upper]);
        a.mov(rax, __qword_ptr[w.Block + 96]);
        a.and(rax, __qword_ptr[lower]);
        a.or(rax, r12);
        a.mov(__qword_ptr[w.Scratch(0)], rax);
        a.mov(rax, __qword_ptr[w.Block + 96]);
        a.shr(rax, 4);
        a.and(rax, __qword_ptr[lower]);
        a.and(r11, __qword_ptr[upper]);
        a.or(rax, r11);
        a.mov(__qword_ptr[w.Scratch(8)], rax);
    }

    // A word has the products of two neighbouring codes.
    private static Action<int> WriteTable(GemvWriter w, GemvRegister scales, GemvRegister table)
    {
        var (a, b) = (w.Asm, w.Builder);
        var places = Enumerable.Range(0, 2).Select(t => b.ConstantBytes($"places of scales {t}", i => 4 * t + i % 16 / 8 * 2 + i / 16 % 2 + i / 32 * 8)).ToArray();
        var products = b.ConstantWords("codes of products", Pair);
        var shift = b.ConstantWords("shift of products", i => Shift * 0x0101 - 32 * Pair(i));
        var words = w.Mask(0x5555_5555_5555_5555);
        return t =>
        {
            a.vpermb(table.k(words).z, places[t], scales);
            a.vpmullw(table, table, products);
            a.vpaddw(table, table, shift);
        };

        static int Pair(int word)
        {
            var code = word % 4 * 2 - 4;
            return code + (code + 1) * 256;
        }
    }
}
