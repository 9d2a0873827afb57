using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2; the scale of the tensor is the matrix's to apply.</summary>
internal sealed unsafe class I2_SCodes() : RowCodes(TensorType.I2_S, 32, hasMins: false, new TwoBitGemv(upperFirst: true, scale: false), rowLanes: new TwoBitRowLanes(128, upperFirst: true, scale: false))
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
