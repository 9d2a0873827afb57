using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -32 to 31.</summary>
internal sealed unsafe class Q6_KCodes() : RowCodes(TensorType.Q6_K, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 210, codes += 256, scales += 16)
        {
            var d = Half(row + 208);
            (SignedSingles(*(ulong*)(row + 192)) * d).Store(scales);
            (SignedSingles(*(ulong*)(row + 200)) * d).Store(scales + 8);
            for (var half = 0; half < 2; half++)
            {
                var high = Vector256.Load(row + 128 + 32 * half);
                for (var k = 0; k < 4; k++)
                {
                    var low = Vector256.Load(row + 64 * half + 32 * (k & 1));
                    low = k < 2 ? low & Vector256.Create((byte)15) : low >> 4;
                    var code = low | (high >> 2 * k & Vector256.Create((byte)3)) << 4;
                    (code - Vector256.Create((byte)32)).Store((byte*)codes + 128 * half + 32 * k);
                }
            }
        }
    }
}
