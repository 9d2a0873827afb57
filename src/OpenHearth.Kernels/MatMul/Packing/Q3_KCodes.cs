using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -4 to 3.</summary>
internal sealed unsafe class Q3_KCodes() : RowCodes(TensorType.Q3_K, 16, hasMins: false, new Q3_KGemv(), rowLanes: new Q3_KRowLanes())
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
/// are looked up, moved up by <see cref="Shift"/>: from -124 to 128 they all fit. A table serves two vectors. The low bits of a
/// code go into its index from where they lie, at bit 0 or 2; matrices over GF(2) bring the high bits of two vectors into the places that are left.
/// </summary>
internal sealed class Q3_KGemv : GemvCode
{
    private const int Shift = 124;
    private const byte FirstChooses = 0xCA; // for vpternlog: a ? b : c
    private const byte LastChooses = 0xD8; // c ? b : a

    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override int Offset => Shift;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (even, odd) = (b.ConstantBytes("low bits of even vectors", 3), b.ConstantBytes("low bits of odd vectors", 12));
        var matrices = Enumerable.Range(0, 2).Select(pair => GemvCodebook.Lines(w, 64, i => (int)(HighBits(2 * pair + i / 32 * 4) >> 8 * (i % 8)))[0]).ToArray();
        var (bytes, high, rest, code) = (w.Vector("bytes, then factor"), w.Vector("high bits"), w.Vector("high bits of two vectors"), w.Vector("codes"));
        var tables = w.Vectors("products ", 2);
        var (writeEven, writeOdd) = (WriteTable(w, odd: false), WriteTable(w, odd: true));
        var (lower, upper) = (b.Data([.. Enumerable.Repeat((byte)15, 64)]), b.Data([.. Enumerable.Repeat((byte)48, 64)]));
        w.Ahead(() => WriteScales(w, lower, upper));
        var halves = w.HalvesAhead(102);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovq(KernelBuilder.Quarter(tables[1]), __qword_ptr[w.Scratch(0)]);
            a.vmovhps(KernelBuilder.Quarter(tables[1]), KernelBuilder.Quarter(tables[1]), __qword_ptr[w.Scratch(8)]);
            a.vbroadcasti64x4(high, __ymmword_ptr[w.Block]);
            a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 32]);
            writeEven(tables[0], tables[1]);
            for (var k = 0; k < 4; k++)
            {
                if (k == 1)
                    writeOdd(tables[1], tables[1]);
                if (k % 2 == 1)
                {
                    a.vpternlogd(rest, bytes, odd, LastChooses);
                    a.vpshufb(code, tables[1], rest);
                }
                else
                {
                    if (k == 2)
                        a.vpsrlw(bytes, bytes, 4);
                    a.vgf2p8affineqb(rest, high, __zmmword_ptr[matrices[k / 2]], (byte)(k == 2 ? 0b1010 : 0));
                    a.vmovdqa64(code, even);
                    a.vpternlogd(code, bytes, rest, FirstChooses);
                    a.vpshufb(code, tables[0], code);
                }
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            halves(bytes, 3);
            yield return GemvWriter.Multiply(bytes, (code, 3));
        }

        // Bit 2 of a byte becomes the given one, bit 0 the next.
        static long HighBits(int bit) => 1L << bit << 8 * (7 - 2) | 2L << bit << 8 * 7;
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

    // A word has the products of two neighbouring indices: of even vectors low bits, high bit, which of them; of odd ones high bit, which, low bits.
    private static Action<AssemblerRegisterZMM, AssemblerRegisterZMM> WriteTable(GemvWriter w, bool odd)
    {
        var (a, b) = (w.Asm, w.Builder);
        var places = b.ConstantBytes("places of scales", i => (odd ? 2 + i / 2 % 2 * 4 : i % 16 / 8 * 4) + i / 16 % 2 + i / 32 * 8);
        var products = b.ConstantWords("codes of products", i => Pair(i % 8));
        var shift = GemvCodebook.Lines(w, 64, i => Shift * 0x0101 - 32 * Pair(i / 2 % 8) >> 8 * (i % 2))[0];
        var words = w.Mask(0x5555_5555_5555_5555);
        return (table, scales) =>
        {
            a.vpermb(table.k(words).z, places, scales);
            a.vpmullw(table, table, products);
            a.vpaddw(table, table, __zmmword_ptr[shift]);
        };

        int Pair(int word) => odd ? word / 2 - 4 + word / 2 * 256 : word % 4 * 2 - 4 + (word % 4 * 2 - 3) * 256;
    }
}

/// <summary>A block a step. Codes 0 to 7.</summary>
internal sealed class Q3_KRowLanes : RowLaneCode
{
    public override int FewestTokens => 5;

    public override int Group => 16;

    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override int Offset => 4;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (three, fourth) = (b.ConstantBytes("low bits", 3), b.ConstantBytes("high bit", 4));
        var (high, bytes, codes) = (b.Vectors("high bits of columns ", 4), b.Vectors("bytes ", 4), b.Vectors("codes ", 2));
        var (scale, other) = (b.Vector("scales"), b.Vector("low bits of columns"));
        AssemblerRegisterZMM[] free = [.. codes, scale, other];
        var lowScale = b.ConstantDwords("lower bits of scales", _ => 15);
        var (highScale, most) = (Dwords(48), Dwords(32));
        var (packed, factor) = (w.Reserve(3), w.Reserve(1));
        return () =>
        {
            PackedScales();
            for (var part = 0; part < 2; part++)
            {
                w.Load(high, free, 16 * part);
                for (var half = 0; half < 2; half++)
                {
                    // 16 bytes hold the codes of every second group of a half.
                    w.Load(bytes, free, 32 + 32 * half + 16 * part);
                    for (var k = 0; k < 4; k++)
                    {
                        var (pair, bit, group) = (k, 4 * half + k, 8 * half + 2 * k + part);
                        w.Multiply(group, four => Code(pair, bit, four), scale, scale, () => Scales(group));
                    }
                }
            }
        };

        Label Dwords(byte value) => b.Data([.. Enumerable.Range(0, 64).Select(i => i % 4 == 0 ? value : (byte)0)]);

        AssemblerRegisterZMM Code(int pair, int bit, int four)
        {
            var (code, low) = (codes[four % 2], bytes[four]);
            Shift(code, high[four], bit - 2);
            a.vpandd(code, bit == 2 ? high[four] : code, fourth);
            if (pair > 0)
                a.vpsrlw(low = other, bytes[four], (byte)(2 * pair));
            a.vpternlogd(code, low, three, GemvWriter.OrAnd);
            return code;
        }

        void Shift(AssemblerRegisterZMM to, AssemblerRegisterZMM from, int right)
        {
            if (right < 0)
                a.vpsllw(to, from, (byte)-right);
            else if (right > 0)
                a.vpsrlw(to, from, (byte)right);
        }

        void Scales(int group)
        {
            var upper = __zmmword_ptr[RowLaneWriter.Own(packed, 2)];
            var shift = 8 * (group % 4) + 2 * (group / 4) - 4;
            if (shift < 0)
                a.vpslld(scale, upper, (byte)-shift);
            else
                a.vpsrld(scale, upper, (byte)shift);
            a.vpandd(scale, scale, __zmmword_ptr[highScale]);
            a.vpsrld(other, __zmmword_ptr[RowLaneWriter.Own(packed, group % 8 / 4)], (byte)(8 * (group % 4) + group / 8 * 4));
            a.vpternlogd(scale, other, lowScale, GemvWriter.OrAnd);
            a.vpsubd(scale, scale, __zmmword_ptr[most]);
            a.vcvtdq2ps(scale, scale);
            a.vmulps(scale, scale, __zmmword_ptr[RowLaneWriter.Own(factor)]);
        }

        // Lower parts in eight bytes, upper ones in four, a factor in two: 14 bytes, so that they are loaded with two before them.
        void PackedScales()
        {
            w.Load(bytes, high, 94);
            for (var k = 0; k < 3; k++)
            {
                a.vpsrld(codes[0], bytes[k], 16);
                a.vpslld(codes[1], bytes[k + 1], 16);
                a.vpord(codes[0], codes[0], codes[1]);
                a.vmovdqa64(__zmmword_ptr[RowLaneWriter.Own(packed, k)], codes[0]);
            }
            a.vpsrld(other, bytes[3], 16);
            a.vpmovdw(KernelBuilder.Half(other), other);
            a.vcvtph2ps(other, KernelBuilder.Half(other));
            a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(factor)], other);
        }
    }
}
