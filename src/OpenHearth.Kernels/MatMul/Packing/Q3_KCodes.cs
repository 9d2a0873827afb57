using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -4 to 3.</summary>
internal sealed unsafe class Q3_KCodes() : RowCodes(TensorType.Q3_K, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 110, codes += 256, scales += 16)
        {
            UnpackScales(row + 96, Half(row + 108), scales);
            var high = Vector256.Load(row);
            for (var k = 0; k < 8; k++)
            {
                var low = Vector256.Load(row + 32 + 32 * (k / 4)) >> 2 * (k % 4) & Vector256.Create((byte)3);
                // Without the third bit a code lies 4 lower.
                var missing = Vector256.Equals(high & Vector256.Create((byte)(1 << k)), Vector256<byte>.Zero) & Vector256.Create((byte)0xFC);
                (low | missing).Store((byte*)codes + 32 * k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackScales(byte* packed, float d, float* scales)
    {
        var low = *(ulong*)packed;
        ulong high = *(uint*)(packed + 8);
        var first = low & 0x0F0F0F0F0F0F0F0F | (high & 0x03030303 | (high >> 2 & 0x03030303) << 32) << 4;
        var second = low >> 4 & 0x0F0F0F0F0F0F0F0F | (high >> 4 & 0x03030303 | (high >> 6 & 0x03030303) << 32) << 4;
        ((Singles(first) - Vector256.Create(32f)) * d).Store(scales);
        ((Singles(second) - Vector256.Create(32f)) * d).Store(scales + 8);
    }
}
