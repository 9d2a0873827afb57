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

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("low bits", 3);
        var four = b.ConstantBytes("high bit", 4);
        var second = b.ConstantBytes("second vector of a table", 8);
        var turn = b.ConstantQwords("turns of high bits", i => i < 4 ? 2 : 62);
        var halves = w.HalvesAhead(102);
        var codes = w.Vectors("codes", 4);
        var (high, factor) = (b.Vector("high bits, in front scales"), w.Vector("factor"));
        var tables = b.Vectors("products", 2);
        var writeTables = WriteTables(w, tables, KernelBuilder.Quarter(high), KernelBuilder.Quarter(tables[1]));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            writeTables();
            a.vbroadcasti64x4(high, __ymmword_ptr[w.Block]);
            a.vprolvq(high, high, turn);
            a.vmovdqu64(codes[0], __zmmword_ptr[w.Block + 32]);
            for (var k = 1; k < 4; k++)
                a.vpsrlw(codes[k], codes[0], (byte)(2 * k));
            for (var k = 0; k < 4; k++)
            {
                if (k % 2 == 0)
                    a.vpandd(codes[k], codes[k], three);
                else
                    a.vpternlogd(codes[k], three, second, GemvWriter.AndOr);
                a.vpternlogd(codes[k], high, four, GemvWriter.OrAnd);
                a.vpshufb(codes[k], tables[k / 2], codes[k]);
                if (k < 3)
                    a.vprorq(high, high, 1);
            }
            halves(factor, 3);
            yield return GemvWriter.Multiply(factor, (codes[0], 0), (codes[1], 1), (codes[2], 2), (codes[3], 3));
        }
    }

    private static Action WriteTables(GemvWriter w, AssemblerRegisterZMM[] tables, AssemblerRegisterXMM scale, AssemblerRegisterXMM rest)
    {
        var (a, b) = (w.Asm, w.Builder);
        // Scales are 16 bytes from byte 94 on: the lower parts from byte 2 of them, the upper ones from byte 10.
        var lowPlaces = KernelBuilder.Quarter(b.ConstantBytes("places of scales, low", i => 2 + i % 8));
        var highPlaces = KernelBuilder.Quarter(b.ConstantBytes("places of scales, high", i => 10 + i % 4));
        var lowTurn = KernelBuilder.Quarter(b.ConstantBytes("turns of scales, low", i => i % 8 * 8 + i / 8 * 4));
        var highTurn = KernelBuilder.Quarter(b.ConstantBytes("turns of scales, high", i => (i % 4 * 8 + i / 4 * 2 + 60) % 64));
        var nibble = KernelBuilder.Quarter(b.ConstantBytes("nibble mask", 15));
        var upperBits = KernelBuilder.Quarter(b.ConstantBytes("mask of scales, high", 48));
        // A word has the products of two neighbouring codes; scales come 32 too large.
        var places = Enumerable.Range(0, 2).Select(t => b.ConstantBytes($"places of scales {t}", i => 4 * t + i % 16 / 8 * 2 + i / 16 % 2 + i / 32 * 8)).ToArray();
        var products = b.ConstantWords("codes of products", Pair);
        var shift = b.ConstantWords("shift of products", i => Shift * 0x0101 - 32 * Pair(i));
        var words = w.Mask(0x5555_5555_5555_5555);
        return () =>
        {
            a.vmovdqu64(rest, __xmmword_ptr[w.Block + 94]);
            a.vpshufb(scale, rest, lowPlaces);
            a.vpshufb(rest, rest, highPlaces);
            a.vpmultishiftqb(scale, lowTurn, scale);
            a.vpmultishiftqb(rest, highTurn, rest);
            a.vpandd(scale, scale, nibble);
            a.vpternlogd(scale, rest, upperBits, GemvWriter.OrAnd);
            for (var t = 0; t < 2; t++)
            {
                a.vpermb(tables[t].k(words).z, places[t], new AssemblerRegisterZMM(Register.ZMM0 + (scale.Value - Register.XMM0)));
                a.vpmullw(tables[t], tables[t], products);
                a.vpaddw(tables[t], tables[t], shift);
            }
        };

        static int Pair(int word)
        {
            var code = word % 4 * 2 - 4;
            return code + (code + 1) * 256;
        }
    }
}
