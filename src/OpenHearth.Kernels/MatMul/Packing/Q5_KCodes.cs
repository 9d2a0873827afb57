using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 31.</summary>
internal sealed unsafe class Q5_KCodes() : RowCodes(TensorType.Q5_K, 32, hasMins: true)
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
