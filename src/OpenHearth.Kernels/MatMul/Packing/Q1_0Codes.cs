using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1 and 1.</summary>
internal sealed unsafe class Q1_0Codes() : RowCodes(TensorType.Q1_0, 32, hasMins: false)
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
