using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
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

/// <summary>
/// A block a step: two lanes are a point, and a vector one point of each of eight groups. Codes 0 to 2; what is to be taken away from
/// them, and the shift, come with the sums.
/// </summary>
internal sealed class IQ1_SGemv : GemvCode
{
    private static readonly byte[] PointsOfGroups = [.. Enumerable.Range(0, 32).Select(i => (byte)(i % 8 * 4 + i / 8))];

    public override int StepColumns => 256;

    public override int StepBytes => 50;

    public override ReadOnlySpan<byte> Order => PointsOfGroups;

    public override int OrderColumns => 8;

    public override bool InPieces => true;

    public override ReadOnlySpan<sbyte> Sums => [0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1];

    public override float SumFactor => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var points = GemvCodebook.Eights(w, IQ1_S.Grid, coordinate => coordinate + 1);
        var (codes, factor) = (w.Vector("codes"), w.Vector("scales"));
        var free = b.Vectors("points", 3);
        var turns = b.ConstantBytes("turns of upper bits", i => i % 8 / 2 * 3 + 16 * (1 - i % 2));
        var upper = b.ConstantWords("mask of upper bits", _ => 0x0700);
        var places = b.ConstantWords("places of points", i => PointsOfGroups[i]);
        var lanes = b.ConstantDwords("groups", i => i / 2);
        var seven = KernelBuilder.Half(b.ConstantDwords("mask of scales", _ => 7));
        var (one, two) = (Singles("one", 1), Singles("two", 2));
        var (sign, eighth) = (KernelBuilder.Half(b.ConstantDwords("sign", _ => int.MinValue)), Singles("eighth", 0.125f));
        w.Ahead(() =>
        {
            a.vpmovzxwq(factor, __xmmword_ptr[w.Block + 34]);
            a.vpmultishiftqb(factor, turns, factor);
            a.vpmovzxbw(codes, __ymmword_ptr[w.Block + 2]);
            a.vpternlogd(codes, factor, upper, GemvWriter.OrAnd);
            a.vpermw(codes, places, codes);
            GemvCodebook.StoreHalves(w, codes, factor);
            var (scale, min, d) = (KernelBuilder.Half(codes), KernelBuilder.Half(factor), KernelBuilder.Half(free[0]));
            a.vpmovzxwd(min, __xmmword_ptr[w.Block + 34]);
            a.vpsrld(scale, min, 12);
            a.vpandd(scale, scale, seven);
            a.vcvtdq2ps(scale, scale);
            a.vfmadd213ps(scale, two, one);
            a.vpbroadcastw(KernelBuilder.Quarter(free[0]), __word_ptr[w.Block]);
            a.vcvtph2ps(d, KernelBuilder.Quarter(free[0]));
            a.vmulps(scale, scale, d);
            // ±⅛ · scale − scale.
            a.vpslld(min, min, 16);
            a.vpternlogd(min, sign, eighth, GemvWriter.AndOr);
            a.vfmsub213ps(min, scale, scale);
            a.vmovaps(__ymmword_ptr[w.Scratch(64)], scale);
            a.vmovaps(__ymmword_ptr[w.Scratch(128)], min);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.lea(r11, __[points]);
            for (var v = 0; v < 4; v++)
            {
                GemvCodebook.WriteEights(w, codes, free, 8 * v);
                if (v < 3)
                    yield return GemvWriter.Add(codes, v);
            }
            a.vmovaps(KernelBuilder.Half(factor), __ymmword_ptr[w.Scratch(64)]);
            a.vpermps(factor, lanes, factor);
            yield return GemvWriter.Multiply(factor, (codes, 3));
            a.vmovaps(KernelBuilder.Half(factor), __ymmword_ptr[w.Scratch(128)]);
            yield return GemvWriter.AddSums(factor);
        }

        AssemblerRegisterYMM Singles(string name, float value) => KernelBuilder.Half(b.ConstantDwords(name, _ => BitConverter.SingleToInt32Bits(value)));
    }
}
