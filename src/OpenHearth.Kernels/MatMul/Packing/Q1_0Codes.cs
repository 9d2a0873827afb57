using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1 and 1.</summary>
internal sealed unsafe class Q1_0Codes() : RowCodes(TensorType.Q1_0, 32, hasMins: false, new Q1_0Gemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 128, row += 18, scales += 4)
        {
            Vector128.Create(Half(row)).Store(scales);
            for (var k = 0; k < 4; k++, codes += 32)
                // All ones is -1, so a bit that is not set becomes -1 and one that is set +1.
                (~Spread(*(uint*)(row + 2 + 4 * k)) | Vector256<byte>.One).Store((byte*)codes);
        }
    }
}

/// <summary>A block a step. Codes 0 and 2.</summary>
internal sealed class Q1_0Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 18;

    public override ReadOnlySpan<byte> Order => [0, 1, 2, 3, 4, 5, 6, 7];

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1];

    public override int SumLength => 1;

    public override float SumFactor => -1;

    public override Action Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var two = b.ConstantBytes("two", 2);
        var codes = b.Vectors("codes", 2);
        var scale = b.Vector("scale");
        var bits = new[] { w.MaskRegister(), w.MaskRegister() };
        return () =>
        {
            for (var v = 0; v < 2; v++)
            {
                a.kmovq(bits[v], __qword_ptr[w.Block + 2 + 8 * v]);
                a.vmovdqu8(codes[v].k(bits[v]).z, two);
            }
            w.BroadcastHalf(scale, 0);
            w.Multiply(scale, (codes[0], 0), (codes[1], 1));
            w.AddSums(scale);
        };
    }
}
