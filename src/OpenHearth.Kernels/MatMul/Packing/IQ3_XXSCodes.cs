using System.Runtime.CompilerServices;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -62 to 62.</summary>
internal sealed unsafe class IQ3_XXSCodes() : RowCodes(TensorType.IQ3_XXS, 32, hasMins: false, new IQ3_XXSGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ3_XXS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 98)
            {
                var d = Half(row) * 0.5f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    var point = row + 2 + 8 * g;
                    var bits = *(uint*)(row + 66 + 4 * g);
                    *scales++ = d * (0.5f + (bits >> 28));
                    for (var k = 0; k < 2; k++)
                    {
                        var signs = Codebook.EvenSigns((int)(bits >> 14 * k & 127)) | Codebook.EvenSigns((int)(bits >> 14 * k + 7 & 127)) << 8;
                        StoreSigned(Pair(grid, point[4 * k], point[4 * k + 1]), Pair(grid, point[4 * k + 2], point[4 * k + 3]), (uint)signs, codes + 16 * k);
                    }
                }
            }
        }
    }

    /// <summary>Two points of four, as in IQ3_S too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Pair(sbyte* grid, int a, int b) => *(uint*)(grid + 4 * a) | (ulong)*(uint*)(grid + 4 * b) << 32;
}

/// <summary>A block a step. Codes are moved up by 62.</summary>
internal sealed class IQ3_XXSGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 98;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PairedOrder;

    public override int Offset => 62;

    public override int Together => 2;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var codes = w.Vectors("codes", 4);
        var (scales, factor) = (w.Vector("scales"), w.Vector("signs, then scales of lanes"));
        var writePoints = GemvCodebook.WriteFours(w, IQ3_XXS.Grid, [4, 12, 20, 28, 36, 44, 52, 62], 62, codes, null);
        var writeScales = IQ2_XXSGemv.WriteScales(w, scales, factor, 0.5f);
        var evenSigns = GemvCodebook.EvenSigns(w);
        var turns = KernelBuilder.Half(b.ConstantBytes("turns of signs", i => i % 8 / 4 * 32 + 7 * (i % 4)));
        var places = KernelBuilder.Half(b.ConstantWords("places of signs", i => 2 * (i / 8 * 4 + i % 4) + i / 4 % 2));
        var twice = b.ConstantBytes("twice 62", 124);
        var lanes = IQ2_XXSGemv.GroupLanes(w);
        var negative = w.MaskRegister();
        w.Ahead(() =>
        {
            a.vpmultishiftqb(KernelBuilder.Half(codes[0]), turns, __ymmword_ptr[w.Block + 66]);
            GemvCodebook.LookUp128(w, factor, codes[0], evenSigns);
            a.vpermw(KernelBuilder.Half(factor), places, KernelBuilder.Half(factor));
            a.vmovdqa64(__ymmword_ptr[w.Scratch(0)], KernelBuilder.Half(factor));
            a.vpsrld(KernelBuilder.Half(scales), __ymmword_ptr[w.Block + 66], 28);
            a.vcvtdq2ps(KernelBuilder.Half(scales), KernelBuilder.Half(scales));
            writeScales();
            a.vmovdqa64(__ymmword_ptr[w.Scratch(64)], KernelBuilder.Half(scales));
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(KernelBuilder.Half(scales), __ymmword_ptr[w.Scratch(64)]);
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
