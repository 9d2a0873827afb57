using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 31.</summary>
internal sealed unsafe class Q5_KCodes() : RowCodes(TensorType.Q5_K, 32, hasMins: true, new Q5_KGemv(), rowLanes: new KRowLanes(fifthBits: true))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 176, codes += 256, scales += 8, mins += 8)
        {
            Q4_KCodes.UnpackScales(row, scales, mins);
            var high = Vector256.Load(row + 16);
            for (var k = 0; k < 4; k++)
            {
                var bytes = Vector256.Load(row + 48 + 32 * k);
                (bytes & Vector256.Create((byte)15) | (high >> 2 * k & Vector256<byte>.One) << 4).Store((byte*)codes + 64 * k);
                (bytes >> 4 | (high >> 2 * k + 1 & Vector256<byte>.One) << 4).Store((byte*)codes + 64 * k + 32);
            }
        }
    }
}

/// <summary>A block a step, as in Q4_K.</summary>
internal sealed class Q5_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 176;

    public override ReadOnlySpan<byte> Order => [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

    public override ReadOnlySpan<sbyte> Sums => [-1, -1, -1, -1, -1, -1, -1, -1, 0, 2, 4, 6, 8, 10, 12, 14];

    public override float SumFactor => -1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var sixteen = b.ConstantBytes("fifth bit", 16);
        var turn = b.ConstantQwords("turns of fifth bits", i => (4 - i / 2 * 2) & 63);
        var writeScales = Q4_KGemv.WriteScales(w, out var scales, out var factor);
        var lanes = Q4_KGemv.GroupLanes(w);
        var (bytes, codes, high) = (w.Vectors("bytes, then upper codes", 2), w.Vectors("lower codes", 2), b.Vector("fifth bits"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            writeScales();
            Q4_KGemv.LoadQuarters(w, 48, bytes, codes[0]);
            for (var v = 0; v < 2; v++)
            {
                w.SplitNibbles(bytes[v], codes[v], nibble);
                // Of quarter q bit 2q belongs to the lower codes, the next to the upper ones.
                a.vbroadcasti32x4(high, __xmmword_ptr[w.Block + (16 + 16 * v)]);
                a.vprolvq(high, high, turn);
                a.vpternlogd(codes[v], high, sixteen, GemvWriter.OrAnd);
                a.vprorq(high, high, 1);
                a.vpternlogd(bytes[v], high, sixteen, GemvWriter.OrAnd);
            }
            a.vpermps(factor, lanes[0], scales);
            yield return GemvWriter.Multiply(factor, (codes[0], 0), (codes[1], 1));
            a.vpermps(factor, lanes[1], scales);
            yield return GemvWriter.Multiply(factor, (bytes[0], 2), (bytes[1], 3));
            yield return GemvWriter.AddSums(scales);
        }
    }
}
