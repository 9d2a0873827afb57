using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2.</summary>
internal sealed unsafe class TQ2_0Codes() : RowCodes(TensorType.TQ2_0, 32, hasMins: false, new TwoBitGemv(upperFirst: false, scale: true), rowLanes: new TwoBitRowLanes(256, upperFirst: false, scale: true))
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
