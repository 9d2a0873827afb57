using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_SCodes() : RowCodes(TensorType.IQ2_S, 16, hasMins: false, new IQ2_SGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 82)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 16; g++, codes += 16)
                {
                    *scales++ = d * (0.5f + (row[74 + g / 2] >> (g % 2 * 4) & 15));
                    var high = row[66 + g / 2] >> (g % 2 * 4);
                    var a = row[2 + 2 * g] | (high & 3) << 8;
                    var b = row[3 + 2 * g] | (high >> 2 & 3) << 8;
                    StoreSigned(*(ulong*)(grid + 8 * a), *(ulong*)(grid + 8 * b), *(ushort*)(row + 34 + 2 * g), codes);
                }
            }
        }
    }
}

/// <summary>A block a step: two lanes are a point, and two vectors the first and the second points of eight groups. Codes are moved up by 43.</summary>
internal sealed class IQ2_SGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 82;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PointsOfGroups;

    public override int OrderColumns => 8;

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -43;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var points = GemvCodebook.Eights(w, IQ2_S.Grid, coordinate => coordinate + 43);
        var codes = w.Vectors("codes", 2);
        var free = b.Vectors("points", 3);
        var factor = w.Vector("scales of lanes");
        var writeScales = WriteScales(w, codes[0], factor, 74);
        var turns = b.ConstantBytes("turns of upper bits", i => i / 8 * 8 + i % 8 / 2 * 2 + 56 * (1 - i % 2));
        var upper = b.ConstantWords("mask of upper bits", _ => 0x0300);
        var places = b.ConstantWords("places of points", i => GemvCodebook.PointsOfGroups[i]);
        var signPlaces = KernelBuilder.Half(b.ConstantBytes("places of signs", i => GemvCodebook.PointsOfGroups[i % 32]));
        var twice = b.ConstantBytes("twice 43", 86);
        var lanes = GroupLanes(w);
        var negative = w.MaskRegister();
        w.Ahead(() =>
        {
            a.vpmultishiftqb(factor, turns, __qword_bcst[w.Block + 66]);
            a.vpmovzxbw(codes[0], __ymmword_ptr[w.Block + 2]);
            a.vpternlogd(codes[0], factor, upper, GemvWriter.OrAnd);
            a.vpermw(codes[0], places, codes[0]);
            GemvCodebook.StoreHalves(w, codes[0], factor);
            a.vpermb(KernelBuilder.Half(factor), signPlaces, __ymmword_ptr[w.Block + 34]);
            a.vmovdqa64(__ymmword_ptr[w.Scratch(128)], KernelBuilder.Half(factor));
            writeScales();
            a.vmovdqa64(__zmmword_ptr[w.Scratch(64)], codes[0]);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.lea(r11, __[points]);
            for (var half = 0; half < 2; half++)
            {
                for (var p = 0; p < 2; p++)
                {
                    var v = 2 * half + p;
                    GemvCodebook.WriteEights(w, codes[p], free, 8 * v);
                    a.kmovq(negative, __qword_ptr[w.Scratch(128 + 8 * v)]);
                    a.vpsubb(codes[p].k(negative), twice, codes[p]);
                }
                a.vpermps(factor, lanes[half], __zmmword_ptr[w.Scratch(64)]);
                yield return GemvWriter.Multiply(factor, (codes[0], 2 * half), (codes[1], 2 * half + 1));
            }
            a.vmovaps(factor, __zmmword_ptr[w.Scratch(64)]);
            yield return GemvWriter.AddSums(factor);
        }
    }

    /// <summary>Where the scales of a pair of vectors are, as in IQ1_M too.</summary>
    internal static AssemblerRegisterZMM[] GroupLanes(GemvWriter w) =>
        [.. Enumerable.Range(0, 2).Select(half => w.Builder.ConstantDwords($"groups {half}", i => 8 * half + i / 2))];

    /// <summary>Writes the taking apart of 16 nibbles s into (s + ½) · d / 4; the block begins with d.</summary>
    internal static Action WriteScales(GemvWriter w, GemvRegister scales, GemvRegister free, int offset)
    {
        var (a, b) = (w.Asm, w.Builder);
        var turns = KernelBuilder.Quarter(b.ConstantBytes("turns of scales", i => 4 * i % 64));
        var nibble = KernelBuilder.Quarter(b.ConstantBytes("nibble mask", 15));
        var quarter = b.ConstantDwords("quarter", _ => BitConverter.SingleToInt32Bits(0.25f));
        var eighth = b.ConstantDwords("eighth", _ => BitConverter.SingleToInt32Bits(0.125f));
        return () =>
        {
            var bytes = KernelBuilder.Quarter(scales);
            a.vpmultishiftqb(bytes, turns, __qword_bcst[w.Block + offset]);
            a.vpandd(bytes, bytes, nibble);
            a.vpmovzxbd(scales, bytes);
            a.vcvtdq2ps(scales, scales);
            a.vfmadd213ps(scales, quarter, eighth);
            w.BroadcastHalf(free, 0);
            a.vmulps(scales, scales, free);
        };
    }
}
