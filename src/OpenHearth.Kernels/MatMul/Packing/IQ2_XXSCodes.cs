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

/// <summary>Two blocks a step. Codes are moved up by 43.</summary>
internal sealed class IQ2_XXSGemv : GemvCode
{
    private const int BlockBytes = 66;

    private static readonly byte[] OrderOfEights = GemvGrid.Order(groupPoints: 4);

    public override int StepColumns => 512;

    public override int StepBytes => 2 * BlockBytes;

    public override ReadOnlySpan<byte> Order => OrderOfEights;

    public override int OrderColumns => 8;

    public override int Offset => 43;

    public override int Together => 4;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        // A group's four numbers, then four times seven signs.
        var turns = b.ConstantBytes("turns of numbers and signs", i => i % 8 < 4 ? 8 * (i % 8) : 32 + 7 * (i % 4));
        var clear = b.ConstantBytes("mask of numbers and signs", i => i % 8 < 4 ? 0xFF : 0x7F);
        var bytes = w.Vectors("numbers and signs, then scales", 2);
        var code = w.Vector("codes");
        var grid = new GemvGrid(w, IQ2_XXS.Grid, [8, 25, 43], 43, evenSigns: true, 4, point => Place(point), (_, point) => Place(point) + 4);
        var (unit, half) = (b.ConstantDwords("unit of scales", _ => BitConverter.SingleToInt32Bits(0.25f)), b.ConstantDwords("half a unit", _ => BitConverter.SingleToInt32Bits(0.125f)));
        w.HalvesAhead(0, BlockBytes);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            var blocks = w.Tail ? 1 : 2;
            for (var block = 0; block < blocks; block++)
            {
                a.vpmultishiftqb(bytes[block], turns, __zmmword_ptr[w.Block + (BlockBytes * block + 2)]);
                a.vpandd(bytes[block], bytes[block], clear);
            }
            grid.LookUp(bytes[0], bytes[1], code);
            for (var block = 0; block < blocks; block++)
            {
                for (var v = 0; v < 4; v++)
                {
                    grid.Write(block, v, bytes[block], code);
                    if (v < 3)
                        yield return GemvWriter.Add(code, 4 * block + v);
                }
                var scales = bytes[block];
                a.vpsrld(scales, __zmmword_ptr[w.Block + (BlockBytes * block + 2)], 28);
                a.vpshufd(scales, scales, 0b11_11_01_01);
                a.vcvtdq2ps(scales, scales);
                a.vfmadd213ps(scales, unit, half);
                a.vmulps(scales, scales, w.HalfAhead(0, block));
                yield return GemvWriter.Multiply(scales, (code, 4 * block + 3));
            }
        }

        static int Place(int point) => point / 4 * 8 + point % 4;
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
