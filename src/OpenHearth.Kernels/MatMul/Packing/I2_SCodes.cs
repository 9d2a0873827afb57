using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2; the scale of the tensor is the matrix's to apply.</summary>
internal sealed unsafe class I2_SCodes() : RowCodes(TensorType.I2_S, 32, hasMins: false, new I2_SGemv(), rowLanes: new TwoBitRowLanes(128, upperFirst: true, scale: false))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 128, row += 32, scales += 4)
        {
            Vector128<float>.One.Store(scales);
            var bits = Vector256.Load(row);
            for (var k = 0; k < 4; k++, codes += 32)
                ((bits >> 6 - 2 * k & Vector256.Create((byte)3)) - Vector256<byte>.One).Store((byte*)codes);
        }
    }
}

/// <summary>Two blocks a step, half a vector each. Codes 0 to 3.</summary>
internal sealed class I2_SGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 64;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override int Offset => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var one = b.ConstantDwords("scale", _ => BitConverter.SingleToInt32Bits(1));
        var codes = w.Vectors("codes", 4);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(codes[3], 0);
            for (var k = 0; k < 3; k++)
                a.vpsrlw(codes[k], codes[3], (byte)(6 - 2 * k));
            foreach (var vector in codes)
                a.vpandd(vector, vector, three);
            yield return GemvWriter.Multiply(one, (codes[0], 0), (codes[1], 1), (codes[2], 2), (codes[3], 3));
        }
    }
}
