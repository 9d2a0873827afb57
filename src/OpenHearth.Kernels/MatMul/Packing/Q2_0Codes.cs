using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2.</summary>
internal sealed unsafe class Q2_0Codes() : RowCodes(TensorType.Q2_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 64, row += 18, scales += 2)
        {
            scales[0] = scales[1] = Half(row);
            for (var k = 0; k < 16; k++, codes += 4)
            {
                uint bits = row[2 + k];
                // Two bits into each byte.
                var spread = bits & 3 | (bits & 12) << 6 | (bits & 48) << 12 | (bits & 192) << 18;
                *(uint*)codes = (Vector64.CreateScalar(spread).AsByte() - Vector64<byte>.One).AsUInt32()[0];
            }
        }
    }
}
