using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_XSCodes() : RowCodes(TensorType.IQ2_XS, 16, hasMins: false, new IQ2_XSGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_XS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 74)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 16; g++, codes += 16)
                {
                    *scales++ = d * (0.5f + (row[66 + g / 2] >> (g % 2 * 4) & 15));
                    uint a = *(ushort*)(row + 2 + 4 * g), b = *(ushort*)(row + 4 + 4 * g);
                    var signs = Codebook.EvenSigns((int)(a >> 9)) | Codebook.EvenSigns((int)(b >> 9)) << 8;
                    StoreSigned(*(ulong*)(grid + 8 * (a & 511)), *(ulong*)(grid + 8 * (b & 511)), (uint)signs, codes);
                }
            }
        }
    }
}

/// <summary>A block a step, columns in their order. Codes are moved up by 43.</summary>
internal sealed class IQ2_XSGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 74;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PlainOrder;

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -43;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var evenSigns = GemvCodebook.EvenSigns(w);
        var codes = w.Vector("codes");
        var free = b.Vectors("points", 3);
        var (scales, factor) = (w.Vector("scales"), w.Vector("signs, then scales of lanes"));
        var points = GemvCodebook.Eights(w, IQ2_XS.Grid, coordinate => coordinate + 43);
        var writeScales = IQ2_SGemv.WriteScales(w, scales, factor, 66);
        var number = b.ConstantWords("mask of points", _ => 511);
        var twice = b.ConstantBytes("twice 43", 86);
        var lanes = IQ2_SGemv.GroupLanes(w);
        var negative = w.MaskRegister();
        w.Ahead(() =>
        {
            a.vmovdqu64(codes, __zmmword_ptr[w.Block + 2]);
            a.vpsrlw(factor, codes, 9);
            a.vpmovwb(KernelBuilder.Half(factor), factor);
            GemvCodebook.LookUp128(w, scales, factor, evenSigns);
            a.vmovdqa64(__ymmword_ptr[w.Scratch(128)], KernelBuilder.Half(scales));
            a.vpandd(codes, codes, number);
            GemvCodebook.StoreHalves(w, codes, factor);
            writeScales();
            a.vmovdqa64(__zmmword_ptr[w.Scratch(64)], scales);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(scales, __zmmword_ptr[w.Scratch(64)]);
            for (var v = 0; v < 4; v++)
            {
                GemvCodebook.WriteEights(w, points, codes, free, i => GemvCodebook.NextWord(w, 8 * v + i));
                a.kmovq(negative, __qword_ptr[w.Scratch(128 + 8 * v)]);
                a.vpsubb(codes.k(negative), twice, codes);
                a.vpermps(factor, lanes[v], scales);
                yield return GemvWriter.Multiply(factor, (codes, v));
            }
            yield return GemvWriter.AddSums(scales);
        }
    }
}
