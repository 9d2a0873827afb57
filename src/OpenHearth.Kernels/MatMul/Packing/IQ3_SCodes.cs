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
    private static readonly byte[] PlacesOfColumns = GemvFours.Places(point => point);

    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override ReadOnlySpan<byte> Places => PlacesOfColumns;

    public override ReadOnlySpan<byte> Order => GemvFours.Order;

    public override int Offset => 15;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var ninth = w.MaskRegister();
        var fours = new GemvFours(w, IQ3_S.Grid, [1, 3, 5, 7, 9, 11, 13, 15], 15, (_, coordinate) => 1 << coordinate);
        var (code, first, second) = (w.Vector("numbers, then signs, then codes"), w.Vector("free, then scales"), b.Vector("free"));
        var turns = b.ConstantBytes("turns of signs", i => 4 * (i % 8));
        var lanes = b.ConstantDwords("groups", i => i / 2);
        var nibbles = KernelBuilder.Quarter(b.ConstantBytes("turns of scales", i => i % 8 * 4));
        var nibble = KernelBuilder.Quarter(b.ConstantBytes("nibble mask", 15));
        var (one, two) = (b.ConstantDwords("one", _ => BitConverter.SingleToInt32Bits(1)), b.ConstantDwords("two", _ => BitConverter.SingleToInt32Bits(2)));
        w.Ahead(() =>
        {
            var (scale, four) = (KernelBuilder.Half(code), KernelBuilder.Quarter(code));
            a.vmovd(four, __dword_ptr[w.Block + 106]);
            a.vpmultishiftqb(four, nibbles, four);
            a.vpandd(four, four, nibble);
            a.vpmovzxbd(scale, four);
            a.vcvtdq2ps(scale, scale);
            a.vfmadd213ps(scale, KernelBuilder.Half(two), KernelBuilder.Half(one));
            w.BroadcastHalf(first, 0);
            a.vmulps(scale, scale, KernelBuilder.Half(first));
            a.vmovdqa64(__ymmword_ptr[w.Scratch(0)], scale);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.kmovq(ninth, __qword_ptr[w.Block + 66]);
            a.vmovdqu64(code, __zmmword_ptr[w.Block + 2]);
            fours.LookUp(code, (first, second), ninth);
            a.vpmovzxdq(code, __ymmword_ptr[w.Block + 74]);
            a.vpmultishiftqb(code, turns, code);
            fours.AddSigns(code, first);
            for (var k = 0; k < 4; k++)
            {
                fours.Write(k, code);
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            a.vmovdqa64(KernelBuilder.Half(first), __ymmword_ptr[w.Scratch(0)]);
            a.vpermps(first, lanes, first);
            yield return GemvWriter.Multiply(first, (code, 3));
        }
    }
}
