using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -9 to 9: eight times the point, and the shift as one more or less.</summary>
internal sealed unsafe class IQ1_SCodes() : RowCodes(TensorType.IQ1_S, 32, hasMins: false, new IQ1_SGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ1_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 50)
            {
                var d = Half(row) * 0.125f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    uint bits = *(ushort*)(row + 34 + 2 * g);
                    *scales++ = d * (2 * (bits >> 12 & 7) + 1);
                    var shift = bits >= 0x8000 ? -1 : 1;
                    for (var k = 0; k < 4; k++)
                        StorePoint(grid, row[2 + 4 * g + k] | (bits >> 3 * k & 7) << 8, shift, codes + 8 * k);
                }
            }
        }
    }

    /// <summary>Eight codes of a point, as in IQ1_M too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StorePoint(sbyte* grid, uint code, int shift, sbyte* codes)
    {
        var point = Vector128.CreateScalar(*(ulong*)(grid + 8 * code)).AsSByte();
        *(ulong*)codes = ((point << 3) + Vector128.Create((sbyte)shift)).AsUInt64()[0];
    }
}

/// <summary>A block a step. Codes 0 to 2; what is to be taken away from them, and the shift, come with the sums.</summary>
internal sealed class IQ1_SGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 50;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PairedOrder;

    public override ReadOnlySpan<sbyte> Sums => [0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1];

    public override float SumFactor => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var points = GemvCodebook.Eights(w, IQ1_S.Grid, coordinate => coordinate + 1);
        var codes = w.Vectors("codes", 2);
        var free = b.Vectors("points", 3);
        var (scales, mins, factor) = (w.Vector("scales"), w.Vector("minimums"), w.Vector("scales of lanes"));
        var turns = b.ConstantBytes("turns of upper bits", i => i % 8 / 2 * 3 + 16 * (1 - i % 2));
        var upper = b.ConstantWords("mask of upper bits", _ => 0x0700);
        var places = b.ConstantDwords("places of pairs", i => i / 8 * 8 + i % 4 * 2 + i / 4 % 2);
        var seven = KernelBuilder.Half(b.ConstantDwords("mask of scales", _ => 7));
        var (one, two) = (b.ConstantDwords("one", _ => BitConverter.SingleToInt32Bits(1)), b.ConstantDwords("two", _ => BitConverter.SingleToInt32Bits(2)));
        var sign = KernelBuilder.Half(b.ConstantDwords("sign", _ => int.MinValue));
        var eighth = KernelBuilder.Half(b.ConstantDwords("eighth", _ => BitConverter.SingleToInt32Bits(0.125f)));
        var lanes = IQ2_XXSGemv.GroupLanes(w);
        w.Ahead(() =>
        {
            var (scale, min) = (KernelBuilder.Half(scales), KernelBuilder.Half(mins));
            a.vpmovzxwq(factor, __xmmword_ptr[w.Block + 34]);
            a.vpmultishiftqb(factor, turns, factor);
            a.vpmovzxbw(codes[0], __ymmword_ptr[w.Block + 2]);
            a.vpternlogd(codes[0], factor, upper, GemvWriter.OrAnd);
            a.vpermd(codes[0], places, codes[0]);
            GemvCodebook.StoreHalves(w, codes[0], factor);
            a.vpmovzxwd(min, __xmmword_ptr[w.Block + 34]);
            a.vpsrld(scale, min, 12);
            a.vpandd(scale, scale, seven);
            a.vcvtdq2ps(scale, scale);
            a.vfmadd213ps(scale, KernelBuilder.Half(two), KernelBuilder.Half(one));
            w.BroadcastHalf(factor, 0);
            a.vmulps(scale, scale, KernelBuilder.Half(factor));
            // ±⅛ · scale − scale.
            a.vpslld(min, min, 16);
            a.vpternlogd(min, sign, eighth, GemvWriter.AndOr);
            a.vfmsub213ps(min, scale, scale);
            a.vmovdqa64(__ymmword_ptr[w.Scratch(64)], KernelBuilder.Half(scales));
            a.vmovdqa64(__ymmword_ptr[w.Scratch(128)], min);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(KernelBuilder.Half(scales), __ymmword_ptr[w.Scratch(64)]);
            a.vmovdqa64(KernelBuilder.Half(mins), __ymmword_ptr[w.Scratch(128)]);
            for (var half = 0; half < 2; half++)
            {
                for (var p = 0; p < 2; p++)
                    GemvCodebook.WriteEights(w, points, codes[p], free, i => GemvCodebook.NextWord(w, 16 * half + 8 * p + i));
                a.vpermps(factor, lanes[half], scales);
                yield return GemvWriter.Multiply(factor, (codes[0], 2 * half), (codes[1], 2 * half + 1));
            }
            yield return GemvWriter.AddSums(mins);
        }
    }
}
