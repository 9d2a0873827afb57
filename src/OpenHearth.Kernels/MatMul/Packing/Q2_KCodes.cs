using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 3.</summary>
internal sealed unsafe class Q2_KCodes() : RowCodes(TensorType.Q2_K, 16, hasMins: true, new Q2_KGemv(), rowLanes: new Q2_KRowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 84, codes += 256, scales += 16, mins += 16)
        {
            var (d, dmin) = (Half(row + 80), -Half(row + 82));
            for (var g = 0; g < 16; g += 8)
            {
                var packed = *(ulong*)(row + g);
                (Singles(packed & 0x0F0F0F0F0F0F0F0F) * d).Store(scales + g);
                (Singles(packed >> 4 & 0x0F0F0F0F0F0F0F0F) * dmin).Store(mins + g);
            }
            for (var half = 0; half < 2; half++)
            {
                var bits = Vector256.Load(row + 16 + 32 * half);
                for (var k = 0; k < 4; k++)
                    (bits >> 2 * k & Vector256.Create((byte)3)).Store((byte*)codes + 128 * half + 32 * k);
            }
        }
    }
}

/// <summary>
/// A block a step. A vector holds 32 codes of the first half and 32 of the second. Scales are small enough for bytes to
/// hold scale · code, which is looked up: a quarter of the table has the products of its four vectors' groups.
/// </summary>
internal sealed class Q2_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 84;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override bool InPieces => true;

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -1f / 16; // minimums are upper nibbles

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var places = b.ConstantBytes("places of scales", i => i % 16 / 4 * 2 + i / 16 % 2 + i / 32 * 8);
        var products = b.ConstantWords("codes of products", i => i % 2 == 0 ? 0x0100 : 0x0302);
        var parts = Enumerable.Range(1, 3).Select(k => b.ConstantBytes($"part {k}", (byte)(4 * k))).ToArray();
        var halves = w.HalvesAhead(76);
        var words = w.Mask(0x5555_5555_5555_5555);
        var (bytes, table, code) = (w.Vector("bytes, then factor"), w.Vector("products"), w.Vector("codes, then minimums"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vpandd(KernelBuilder.Quarter(table), KernelBuilder.Quarter(nibble), __xmmword_ptr[w.Block]);
            a.vpermb(table.k(words).z, places, table);
            a.vpmullw(table, table, products);
            a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 16]);
            for (var k = 0; k < 4; k++)
            {
                if (k == 0)
                {
                    a.vpandd(code, bytes, three);
                }
                else
                {
                    a.vpsrlw(code, bytes, (byte)(2 * k));
                    a.vpternlogd(code, three, parts[k - 1], GemvWriter.AndOr);
                }
                a.vpshufb(code, table, code);
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
                if (k != 1)
                    continue;
                // Among the codes: their units are others.
                a.vpandnd(KernelBuilder.Quarter(code), KernelBuilder.Quarter(nibble), __xmmword_ptr[w.Block]);
                a.vpmovzxbd(code, KernelBuilder.Quarter(code));
                a.vcvtdq2ps(code, code);
                a.vmulps(code, code, w.HalfAhead(3));
                yield return GemvWriter.AddSums(code);
            }
            halves(bytes, 2);
            yield return GemvWriter.Multiply(bytes, (code, 3));
        }
    }
}

/// <summary>A block a step. Codes 0 to 3.</summary>
internal sealed class Q2_KRowLanes : RowLaneCode
{
    public override int FewestTokens => 5;

    public override int Group => 16;

    public override int StepColumns => 256;

    public override int StepBytes => 84;

    public override bool HasMins => true;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (three, nibble) = (b.ConstantBytes("code mask", 3), b.ConstantDwords("nibble mask", _ => 15));
        var (bytes, codes) = (b.Vectors("bytes ", 4), b.Vectors("codes ", 2));
        var (scale, min) = (b.Vector("scales"), b.Vector("minimums"));
        AssemblerRegisterZMM[] free = [.. codes, scale, min];
        var (halves, packed, factors) = (w.Reserve(1), w.Reserve(4), w.Reserve(2));
        return () =>
        {
            w.Gather(halves, 80, 4);
            w.Load(bytes, free, 0);
            for (var k = 0; k < 4; k++)
                a.vmovdqa64(__zmmword_ptr[RowLaneWriter.Own(packed, k)], bytes[k]);
            for (var part = 0; part < 4; part++)
            {
                // 16 bytes hold the codes of every second group of a half.
                w.Load(bytes, free, 16 + 16 * part);
                for (var k = 0; k < 4; k++)
                {
                    var (pair, group) = (k, part / 2 * 8 + 2 * k + part % 2);
                    w.Multiply(group, four => Code(pair, four), scale, min, () => Scales(group));
                }
            }
        };

        AssemblerRegisterZMM Code(int pair, int four)
        {
            var code = codes[four % 2];
            if (pair > 0)
                a.vpsrlw(code, bytes[four], (byte)(2 * pair));
            a.vpandd(code, pair > 0 ? code : bytes[four], three);
            return code;
        }

        void Scales(int group)
        {
            if (group == 0)
                Factors();
            Scale(scale, 8 * (group % 4), 0);
            Scale(min, 8 * (group % 4) + 4, 1);

            void Scale(AssemblerRegisterZMM value, int shift, int factor)
            {
                a.vpsrld(value, __zmmword_ptr[RowLaneWriter.Own(packed, group / 4)], (byte)shift);
                a.vpandd(value, value, nibble);
                a.vcvtdq2ps(value, value);
                a.vmulps(value, value, __zmmword_ptr[RowLaneWriter.Own(factors, factor)]);
            }
        }

        // The first group is multiplied before they are needed: they went through memory.
        void Factors()
        {
            a.vmovdqa64(scale, __zmmword_ptr[RowLaneWriter.Own(halves)]);
            RowLaneWriter.Halves(a, scale, min);
            a.vpxord(codes[0], codes[0], codes[0]);
            a.vsubps(min, codes[0], min);
            a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(factors)], scale);
            a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(factors, 1)], min);
        }
    }
}
