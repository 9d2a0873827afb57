using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2.</summary>
internal sealed unsafe class TQ2_0Codes() : RowCodes(TensorType.TQ2_0, 32, hasMins: false, new TQ2_0Gemv(), rowLanes: new TwoBitRowLanes(256, upperFirst: false, scale: true))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 66, scales += 8)
        {
            Vector256.Create(Half(row + 64)).Store(scales);
            for (var half = 0; half < 2; half++)
            {
                var bits = Vector256.Load(row + 32 * half);
                for (var k = 0; k < 4; k++, codes += 32)
                    ((bits >> 2 * k & Vector256.Create((byte)3)) - Vector256<byte>.One).Store((byte*)codes);
            }
        }
    }
}

/// <summary>A block a step, one scale for all of it. Codes 0 to 3.</summary>
internal sealed class TQ2_0Gemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 66;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override int Offset => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var codes = w.Vectors("codes", 4);
        var scale = w.Vector("scale");
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.BroadcastHalf(scale, 64);
            a.vmovdqu64(codes[0], __zmmword_ptr[w.Block]);
            for (var k = 1; k < 4; k++)
                a.vpsrlw(codes[k], codes[0], (byte)(2 * k));
            for (var k = 0; k < 4; k++)
                a.vpandd(codes[k], codes[k], three);
            yield return GemvWriter.Multiply(scale, (codes[0], 0), (codes[1], 1), (codes[2], 2), (codes[3], 3));
        }
    }
}
