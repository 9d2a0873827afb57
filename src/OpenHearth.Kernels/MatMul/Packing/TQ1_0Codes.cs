using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0 and 1.</summary>
internal sealed unsafe class TQ1_0Codes() : RowCodes(TensorType.TQ1_0, 32, hasMins: false, new TQ1_0Gemv(), rowLanes: new TQ1_0RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 54, codes += 256, scales += 8)
        {
            Vector256.Create(Half(row + 52)).Store(scales);
            var power = 1;
            for (var digit = 0; digit < 5; digit++, power *= 3)
            {
                for (var j = 0; j < 32; j += 16)
                    Digits(Vector128.Load(row + j), power).Store(codes + 32 * digit + j);
                Digits(Vector128.Load(row + 32), power).Store(codes + 160 + 16 * digit);
                if (digit < 4)
                    *(uint*)(codes + 240 + 4 * digit) = Digits(Vector128.CreateScalar(*(uint*)(row + 48)).AsByte(), power).AsUInt32()[0];
            }
        }
    }

    /// <summary>The digit that multiplying by a power of three, modulo 256, and then by three moves above a byte; minus 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Digits(Vector128<byte> bytes, int power)
    {
        var (low, high) = Vector128.Widen(bytes);
        var (mask, three) = (Vector128.Create((ushort)255), Vector128.Create((ushort)3));
        low = (low * (ushort)power & mask) * three >> 8;
        high = (high * (ushort)power & mask) * three >> 8;
        return (Vector128.Narrow(low, high) - Vector128<byte>.One).AsSByte();
    }
}

/// <summary>
/// A block a step: a vector for each digit of all bytes. Four digits are looked up at once, two bits each. The last
/// quarter holds the four bytes of four digits four times, of which another is counted in each vector.
/// </summary>
internal sealed class TQ1_0Gemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 54;

    public override ReadOnlySpan<byte> Order => [0, 1, 10, 15, 2, 3, 11, 15, 4, 5, 12, 15, 6, 7, 13, 15, 8, 9, 14, 15];

    public override int Offset => 1;

    public override bool InPieces => true;

    public override ushort Bytes(int quarter) => (ushort)(quarter % 4 < 3 ? 0xFFFF : 0xF << quarter / 4 * 4);

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var first = Table("four digits", FourDigits);
        var fifth = Table("fifth digit", i => Digit(i, 81));
        var halves = w.HalvesAhead(46);
        var three = b.ConstantBytes("code mask", 3);
        var (bytes, places) = (w.Mask(0x0FFF), w.Mask(0xF000));
        var (lower, upper) = (w.MaskRegister(), w.MaskRegister());
        var (packed, code) = (w.Vector("bytes, then four digits"), w.Vector("codes, then scale"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqu32(packed.k(bytes).z, __zmmword_ptr[w.Block]);
            a.vpbroadcastd(packed.k(places), __dword_ptr[w.Block + 48]);
            a.vpmovb2m(upper, packed);
            a.knotq(lower, upper);
            a.vmovdqa64(code, packed);
            LookUp(code, fifth);
            LookUp(packed, first);
            yield return GemvWriter.Add(code, 4);
            for (var k = 0; k < 4; k++)
            {
                if (k == 0)
                {
                    a.vpandd(code, packed, three);
                }
                else
                {
                    a.vpsrlw(code, packed, (byte)(2 * k));
                    a.vpandd(code, code, three);
                }
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            halves(packed, 3);
            yield return GemvWriter.Multiply(packed, (code, 3));
        }

        AssemblerRegisterZMM[] Table(string name, Func<int, int> entry) =>
            [.. Enumerable.Range(0, 4).Select(k => b.ConstantBytes($"{name} {k}", i => entry(64 * k + i)))];

        void LookUp(GemvRegister bytes, AssemblerRegisterZMM[] table)
        {
            // Under its mask each takes the numbers that the other leaves.
            a.vpermi2b(bytes.k(lower), table[0], table[1]);
            a.vpermi2b(bytes.k(upper), table[2], table[3]);
        }
    }

    /// <summary>The digit of a byte that a power of three moves to the front.</summary>
    internal static int Digit(int value, int power) => (value * power & 255) * 3 >> 8;

    /// <summary>Four digits of a byte, two bits each.</summary>
    internal static int FourDigits(int value) => Digit(value, 1) | Digit(value, 3) << 2 | Digit(value, 9) << 4 | Digit(value, 27) << 6;
}

/// <summary>A block a step. Digits are looked up for all of it first, and kept: four of them in two bits each, and the fifth. Codes 0 to 2.</summary>
internal sealed class TQ1_0RowLanes : RowLaneCode
{
    private const int FifthDigits = 12; // vectors of bytes of five digits; four digits are in one more
    private const int FirstBytes = 8; // vectors of bytes whose digits are 32 columns apart; of the others they are 16 apart

    public override int FewestTokens => 2;

    public override int StepColumns => 256;

    public override int StepBytes => 54;

    public override int Offset => 1;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var (bytes, free) = (b.Vectors("bytes ", 4), b.Vectors("codes ", 4));
        var scale = b.Vector("scales");
        var (four, fifth) = (Table(TQ1_0Gemv.FourDigits), Table(i => TQ1_0Gemv.Digit(i, 81)));
        var (fourDigits, fifthDigits, scales) = (w.Reserve(FifthDigits + 1), w.Reserve(FifthDigits), w.Reserve(1));
        return () =>
        {
            w.Gather(fourDigits + 64 * FifthDigits, 48, 4);
            w.Gather(scales, 52, 2);
            for (var k = 0; k < FifthDigits; k++)
            {
                if (k % 4 == 0)
                    w.Load(bytes, free, 4 * k);
                LookUp(bytes[k % 4], fifth, fifthDigits, k);
                LookUp(bytes[k % 4], four, fourDigits, k);
            }
            a.vmovdqa64(bytes[0], __zmmword_ptr[RowLaneWriter.Own(fourDigits, FifthDigits)]);
            LookUp(bytes[0], four, fourDigits, FifthDigits);
            for (var group = 0; group < 8; group++)
            {
                var here = group;
                w.Multiply(group, k => Code(here, k), scale, scale, () => a.vcvtph2ps(scale, __ymmword_ptr[RowLaneWriter.Own(scales)]));
            }
        };

        AssemblerRegisterZMM Code(int group, int k) => group switch
        {
            < 5 => Digit(k, group, k),
            7 when k >= 4 => Digit(FifthDigits, k - 4, k),
            _ => Digit(FirstBytes + k % 4, 2 * (group - 5) + k / 4, k),
        };

        AssemblerRegisterZMM Digit(int vector, int digit, int k)
        {
            var code = free[k % 4];
            var packed = __zmmword_ptr[RowLaneWriter.Own(fourDigits, vector)];
            if (digit == 4)
            {
                a.vmovdqa64(code, __zmmword_ptr[RowLaneWriter.Own(fifthDigits, vector)]);
                return code;
            }
            if (digit > 0)
                a.vpsrlw(code, packed, (byte)(2 * digit));
            if (digit > 0)
                a.vpandd(code, code, three);
            else
                a.vpandd(code, three, packed);
            return code;
        }

        void LookUp(AssemblerRegisterZMM vector, Label[] table, int place, int index)
        {
            var (low, high) = (free[0], free[1]);
            a.vpmovb2m(k1, vector);
            a.vmovdqa64(low, __zmmword_ptr[table[0]]);
            a.vpermt2b(low, vector, __zmmword_ptr[table[1]]);
            a.vmovdqa64(high, __zmmword_ptr[table[2]]);
            a.vpermt2b(high, vector, __zmmword_ptr[table[3]]);
            a.vmovdqu8(low.k1, high);
            a.vmovdqa64(__zmmword_ptr[RowLaneWriter.Own(place, index)], low);
        }

        Label[] Table(Func<int, int> entry) =>
            [.. Enumerable.Range(0, 4).Select(k => b.Data([.. Enumerable.Range(64 * k, 64).Select(i => (byte)entry(i))]))];
    }
}
