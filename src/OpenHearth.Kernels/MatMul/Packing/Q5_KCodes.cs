using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 31.</summary>
internal sealed unsafe class Q5_KCodes() : RowCodes(TensorType.Q5_K, 32, hasMins: true, new Q5_KGemv())
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

    public override ReadOnlySpan<byte> Order => [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];

    public override ReadOnlySpan<sbyte> Sums => [-1, -1, -1, -1, -1, -1, -1, -1, 0, 2, 4, 6, 8, 10, 12, 14];

    public override float SumFactor => -1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var sixteen = b.ConstantBytes("fifth bit", 16);
        var turn = b.ConstantQwords("turns of fifth bits", i => i < 4 ? 4 : 2);
        var writeScales = Q4_KGemv.WriteScales(w, out var scales, out var factor);
        var lanes = Q4_KGemv.GroupLanes(w);
        var (bytes, codes, high) = (w.Vector("bytes, then upper codes"), w.Vector("lower codes"), w.Vector("fifth bits"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            writeScales();
            // Bits 0 and 2 belong to the first vector, 1 and 3 to the second, 4 and 6, 5 and 7 to the others.
            a.vbroadcasti64x4(high, __ymmword_ptr[w.Block + 16]);
            a.vprolvq(high, high, turn);
            for (var half = 0; half < 2; half++)
            {
                a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 48 + 64 * half]);
                w.SplitNibbles(bytes, codes, nibble);
                a.vpternlogd(codes, high, sixteen, GemvWriter.OrAnd);
                a.vprorq(high, high, 1);
                a.vpternlogd(bytes, high, sixteen, GemvWriter.OrAnd);
                a.vprorq(high, high, 3);
                a.vpermps(factor, lanes[2 * half], scales);
                yield return GemvWriter.Multiply(factor, (codes, 2 * half));
                a.vpermps(factor, lanes[2 * half + 1], scales);
                yield return GemvWriter.Multiply(factor, (bytes, 2 * half + 1));
            }
            yield return GemvWriter.AddSums(scales);
        }
    }
}
