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

/// <summary>Two blocks a step; a lane is a group. Codes are moved up by 43.</summary>
internal sealed class IQ2_XXSGemv : GemvCode
{
    private const int BlockBytes = 66;

    private static readonly byte[] PlacesOfColumns = GemvEights.Places(halves: false);

    public override int StepColumns => 512;

    public override int StepBytes => 2 * BlockBytes;

    public override ReadOnlySpan<byte> Places => PlacesOfColumns;

    public override ReadOnlySpan<byte> Order => GemvEights.Order;

    public override int Offset => 43;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var eights = new GemvEights(w, IQ2_XXS.Grid, [8, 25, 43], 43, halves: false);
        var (first, second) = (w.Vector("first block, then codes"), w.Vector("second block, then scales"));
        // A group's four numbers, then four times seven signs.
        var turns = b.ConstantBytes("turns of signs", i => i % 8 < 4 ? 0 : 32 + 7 * (i % 4));
        var places = GemvCodebook.Lines(w, 64, i => i / 4 * 8 + i % 4)[0];
        var signPlaces = GemvCodebook.Lines(w, 64, i => i / 4 * 8 + i % 4 + 4)[0];
        var scalePlaces = GemvCodebook.Lines(w, 64, i => i % 4 == 0 ? i / 4 * 2 + 1 : 0)[0];
        // The last sign is the parity of the others.
        var parity = GemvCodebook.Lines(w, 64, i => i % 8 == 0 ? 0x7F : 1 << 7 - i % 8)[0];
        var (unit, half) = (b.ConstantDwords("unit of scales", _ => BitConverter.SingleToInt32Bits(0.25f)), b.ConstantDwords("half a unit", _ => BitConverter.SingleToInt32Bits(0.125f)));
        var (lower, upper) = (w.Mask(0x00FF), w.Mask(0xFF00));
        w.HalvesAhead(0, BlockBytes);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            Load(first, second);
            a.vmovdqa64(eights.Numbers, __zmmword_ptr[places]);
            a.vpermi2b(eights.Numbers, first, second);
            a.vpmultishiftqb(first, turns, first);
            a.vpmultishiftqb(second, turns, second);
            a.vmovdqa64(eights.Signs, __zmmword_ptr[signPlaces]);
            a.vpermi2b(eights.Signs, first, second);
            a.vgf2p8affineqb(eights.Signs, eights.Signs, __zmmword_ptr[parity], 0);
            eights.LookUp((first, second));
            eights.Spread(first);
            for (var v = 0; v < 8; v++)
            {
                eights.Write(v, first);
                if (v < 7)
                    yield return GemvWriter.Add(first, v);
            }
            WriteScales();
            yield return GemvWriter.Multiply(second, (first, 7));
        }

        void Load(AssemblerRegisterZMM first, AssemblerRegisterZMM second)
        {
            a.vmovdqu64(first, __zmmword_ptr[w.Block + 2]);
            if (w.Tail)
                a.vpxord(second, second, second);
            else
                a.vmovdqu64(second, __zmmword_ptr[w.Block + (BlockBytes + 2)]);
        }

        void WriteScales()
        {
            Load(eights.Numbers, second);
            a.vmovdqa64(eights.Signs, __zmmword_ptr[scalePlaces]);
            a.vpermi2d(eights.Signs, eights.Numbers, second);
            a.vpsrld(second, eights.Signs, 28);
            a.vcvtdq2ps(second, second);
            a.vfmadd213ps(second, unit, half);
            w.MultiplyHalvesAhead(second, lower, upper);
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
