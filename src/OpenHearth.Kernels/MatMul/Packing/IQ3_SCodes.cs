using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -15 to 15.</summary>
internal sealed unsafe class IQ3_SCodes() : RowCodes(TensorType.IQ3_S, 32, hasMins: false, new IQ3_SGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ3_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 110)
            {
                var d = Half(row);
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    *scales++ = d * (1 + 2 * (row[106 + g / 2] >> (g % 2 * 4) & 15));
                    var point = row + 2 + 8 * g;
                    int high = row[66 + g];
                    for (var k = 0; k < 8; k += 4)
                    {
                        var low = IQ3_XXSCodes.Pair(grid, point[k] | (high >> k & 1) << 8, point[k + 1] | (high >> k + 1 & 1) << 8);
                        var rest = IQ3_XXSCodes.Pair(grid, point[k + 2] | (high >> k + 2 & 1) << 8, point[k + 3] | (high >> k + 3 & 1) << 8);
                        StoreSigned(low, rest, *(ushort*)(row + 74 + 4 * g + k / 2), codes + 4 * k);
                    }
                }
            }
        }
    }
}

/// <summary>A block a step. Codes are moved up by 15.</summary>
internal sealed class IQ3_SGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PairedOrder;

    public override int Offset => 15;

    public override int Together => 2;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var codes = w.Vectors("codes", 4);
        var (scales, factor) = (w.Vector("scales"), w.Vector("signs, then scales of lanes"));
        var (negative, ninth) = (w.MaskRegister(), w.MaskRegister());
        var writePoints = GemvCodebook.WriteFours(w, IQ3_S.Grid, [1, 3, 5, 7, 9, 11, 13, 15], 15, codes, ninth);
        var places = KernelBuilder.Half(b.ConstantWords("places of signs", i => 2 * (i / 8 * 4 + i % 4) + i / 4 % 2));
        var nibbles = KernelBuilder.Quarter(b.ConstantBytes("turns of scales", i => i % 8 * 4));
        var nibble = KernelBuilder.Quarter(b.ConstantBytes("nibble mask", 15));
        var (one, two) = (b.ConstantDwords("one", _ => BitConverter.SingleToInt32Bits(1)), b.ConstantDwords("two", _ => BitConverter.SingleToInt32Bits(2)));
        var twice = b.ConstantBytes("twice 15", 30);
        var lanes = IQ2_XXSGemv.GroupLanes(w);
        w.Ahead(() =>
        {
            var scale = KernelBuilder.Half(scales);
            a.vpermw(KernelBuilder.Half(factor), places, __ymmword_ptr[w.Block + 74]);
            a.vmovdqa64(__ymmword_ptr[w.Scratch(0)], KernelBuilder.Half(factor));
            a.vmovd(KernelBuilder.Quarter(scales), __dword_ptr[w.Block + 106]);
            a.vpmultishiftqb(KernelBuilder.Quarter(scales), nibbles, KernelBuilder.Quarter(scales));
            a.vpandd(KernelBuilder.Quarter(scales), KernelBuilder.Quarter(scales), nibble);
            a.vpmovzxbd(scale, KernelBuilder.Quarter(scales));
            a.vcvtdq2ps(scale, scale);
            a.vfmadd213ps(scale, KernelBuilder.Half(two), KernelBuilder.Half(one));
            w.BroadcastHalf(factor, 0);
            a.vmulps(scale, scale, KernelBuilder.Half(factor));
            a.vmovdqa64(__ymmword_ptr[w.Scratch(64)], KernelBuilder.Half(scales));
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(KernelBuilder.Half(scales), __ymmword_ptr[w.Scratch(64)]);
            a.kmovq(ninth, __qword_ptr[w.Block + 66]);
            a.vmovdqu64(codes[0], __zmmword_ptr[w.Block + 2]);
            writePoints();
            for (var half = 0; half < 2; half++)
            {
                for (var v = 2 * half; v < 2 * half + 2; v++)
                {
                    a.kmovq(negative, __qword_ptr[w.Scratch(8 * v)]);
                    a.vpsubb(codes[v].k(negative), twice, codes[v]);
                }
                a.vpermps(factor, lanes[half], scales);
                yield return GemvWriter.Multiply(factor, (codes[2 * half], 2 * half), (codes[2 * half + 1], 2 * half + 1));
            }
        }
    }
}
