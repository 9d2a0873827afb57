using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_XXSCodes() : RowCodes(TensorType.IQ2_XXS, 32, hasMins: false, new IQ2_XXSGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_XXS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 66)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    var point = row + 2 + 8 * g;
                    var bits = *(uint*)(point + 4);
                    *scales++ = d * (0.5f + (bits >> 28));
                    for (var k = 0; k < 4; k += 2)
                    {
                        var signs = Codebook.EvenSigns((int)(bits >> 7 * k & 127)) | Codebook.EvenSigns((int)(bits >> 7 * k + 7 & 127)) << 8;
                        StoreSigned(*(ulong*)(grid + 8 * point[k]), *(ulong*)(grid + 8 * point[k + 1]), (uint)signs, codes + 8 * k);
                    }
                }
            }
        }
    }
}

/// <summary>A block a step. Codes are moved up by 43.</summary>
internal sealed class IQ2_XXSGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 66;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PairedOrder;

    public override int Offset => 43;

    public override int Together => 2;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var evenSigns = GemvCodebook.EvenSigns(w);
        var codes = w.Vectors("codes", 2);
        var free = b.Vectors("points", 3);
        var (scales, factor) = (w.Vector("scales"), w.Vector("signs, then scales of lanes"));
        var points = GemvCodebook.Eights(w, IQ2_XXS.Grid, coordinate => coordinate + 43);
        var writeScales = WriteScales(w, scales, factor, 0.25f);
        var turns = b.ConstantBytes("turns of signs", i => 32 + 7 * (i % 4));
        var places = b.ConstantWords("places of signs", i => 4 * (i / 8 % 2 * 4 + i % 4) + i / 4 % 2);
        var twice = b.ConstantBytes("twice 43", 86);
        var lanes = GroupLanes(w);
        var negative = w.MaskRegister();
        w.Ahead(() =>
        {
            a.vmovdqu64(scales, __zmmword_ptr[w.Block + 2]);
            a.vpmultishiftqb(codes[0], turns, scales);
            GemvCodebook.LookUp128(w, factor, codes[0], evenSigns);
            a.vpermw(factor, places, factor);
            a.vmovdqa64(__ymmword_ptr[w.Scratch(0)], KernelBuilder.Half(factor));
            a.vpsrlq(scales, scales, 60);
            a.vcvtqq2ps(KernelBuilder.Half(scales), scales);
            writeScales();
            a.vmovdqa64(__ymmword_ptr[w.Scratch(64)], KernelBuilder.Half(scales));
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(KernelBuilder.Half(scales), __ymmword_ptr[w.Scratch(64)]);
            for (var half = 0; half < 2; half++)
            {
                for (var p = 0; p < 2; p++)
                {
                    GemvCodebook.WriteEights(w, points, codes[p], free, i => LoadNumber(32 * half + 8 * (i / 2) + 2 * p, i % 2));
                    a.kmovq(negative, __qword_ptr[w.Scratch(8 * (2 * half + p))]);
                    a.vpsubb(codes[p].k(negative), twice, codes[p]);
                }
                a.vpermps(factor, lanes[half], scales);
                yield return GemvWriter.Multiply(factor, (codes[0], 2 * half), (codes[1], 2 * half + 1));
            }
        }

        // Two of a group's numbers follow each other.
        void LoadNumber(int offset, int index)
        {
            if (index == 0)
                a.movzx(r12d, __word_ptr[w.Block + (2 + offset)]);
            else
                a.shr(r12d, 8);
            a.movzx(eax, r12b);
        }
    }

    /// <summary>Where the scales of a pair of vectors are, as in the other formats with groups of 32.</summary>
    internal static AssemblerRegisterZMM[] GroupLanes(GemvWriter w) =>
        [.. Enumerable.Range(0, 2).Select(half => w.Builder.ConstantDwords($"groups {half}", i => 4 * half + i / 4))];

    /// <summary>Writes the change of eight scales s into (s + ½) · unit · d, as in IQ3_XXS too; the block begins with d.</summary>
    internal static Action WriteScales(GemvWriter w, GemvRegister scales, GemvRegister free, float unit)
    {
        var factor = w.Builder.ConstantDwords("unit of scales", _ => BitConverter.SingleToInt32Bits(unit));
        var half = w.Builder.ConstantDwords("half a unit", _ => BitConverter.SingleToInt32Bits(unit / 2));
        return () =>
        {
            var scale = KernelBuilder.Half(scales);
            w.Asm.vfmadd213ps(scale, KernelBuilder.Half(factor), KernelBuilder.Half(half));
            w.BroadcastHalf(free, 0);
            w.Asm.vmulps(scale, scale, KernelBuilder.Half(free));
        };
    }
}
