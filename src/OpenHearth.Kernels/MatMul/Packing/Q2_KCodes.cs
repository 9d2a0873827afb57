using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 3.</summary>
internal sealed unsafe class Q2_KCodes() : RowCodes(TensorType.Q2_K, 16, hasMins: true)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 84, codes += 256, scales += 16, mins += 16)
        {
            var (d, dmin) = (Half(row + 80), -Half(row + 82));
            for (var g = 0; g < 16; g += 8)
            {
                var packed = *(ulong*)(row + g);
                (Singles(packed & 0x0F0F0F0F0F0F0F0F) * d).Store(scales + g);
                (Singles(packed >> 4 & 0x0F0F0F0F0F0F0F0F) * dmin).Store(mins + g);
            }
            for (var half = 0; half < 2; half++)
            {
                var bits = Vector256.Load(row + 16 + 32 * half);
                for (var k = 0; k < 4; k++)
                    (bits >> 2 * k & Vector256.Create((byte)3)).Store((byte*)codes + 128 * half + 32 * k);
            }
        }
    }
}
