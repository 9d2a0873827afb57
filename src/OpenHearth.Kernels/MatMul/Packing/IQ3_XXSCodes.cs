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

/// <summary>
/// A block a step. Of eight points that two groups have at even places a quad word is made, and of those at odd ones, for
/// which the same signs are needed otherwise. Codes are moved up by 62.
/// </summary>
internal sealed class IQ3_XXSGemv : GemvCode
{
    private static readonly byte[] PlacesOfColumns = GemvFours.Places(Point);

    public override int StepColumns => 256;

    public override int StepBytes => 98;

    public override ReadOnlySpan<byte> Places => PlacesOfColumns;

    public override ReadOnlySpan<byte> Order => GemvFours.Order;

    public override int Offset => 62;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var fours = new GemvFours(w, IQ3_XXS.Grid, [4, 12, 20, 28, 36, 44, 52, 62], 62, Sign);
        var (code, free) = (w.Vector("numbers, then signs, then codes"), w.Vector("free, then scales"));
        var order = b.ConstantBytes("places of points", i => i / 16 * 16 + Point(i % 16));
        var twice = b.ConstantQwords("places of signs", i => i / 2);
        var turns = b.ConstantBytes("turns of signs", i => i % 8 / 4 * 32 + 7 * (i % 4));
        var lanes = b.ConstantDwords("groups", i => i / 4 * 2 + i % 2);
        var writeScales = IQ2_XXSGemv.WriteScales(w, code, free, 0.5f);
        w.Ahead(() =>
        {
            var scales = KernelBuilder.Half(code);
            a.vpsrld(scales, __ymmword_ptr[w.Block + 66], 28);
            a.vcvtdq2ps(scales, scales);
            writeScales();
            a.vmovdqa64(__ymmword_ptr[w.Scratch(0)], scales);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vpermb(code, order, __zmmword_ptr[w.Block + 2]);
            fours.LookUp(code, (free, free));
            a.vmovdqu64(KernelBuilder.Half(code), __ymmword_ptr[w.Block + 66]);
            a.vpermq(code, twice, code);
            a.vpmultishiftqb(code, turns, code);
            fours.AddSigns(code, free);
            for (var k = 0; k < 4; k++)
            {
                fours.Write(k, code);
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            a.vmovdqa64(KernelBuilder.Half(free), __ymmword_ptr[w.Scratch(0)]);
            a.vpermps(free, lanes, free);
            yield return GemvWriter.Multiply(free, (code, 3));
        }

        // Seven of eight are stored for two points; the last is the parity of the others.
        static int Sign(int quad, int coordinate) => quad % 2 * 4 + coordinate is < 7 and var bit ? 1 << bit : 0x7F;
    }

    // Of sixteen: the points of two groups at even places, then those at odd ones.
    private static int Point(int place) => place % 8 * 2 + place / 8;
}
