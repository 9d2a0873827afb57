using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 15.</summary>
internal sealed unsafe class Q4_KCodes() : RowCodes(TensorType.Q4_K, 32, hasMins: true)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 144, codes += 256, scales += 8, mins += 8)
        {
            UnpackScales(row, scales, mins);
            for (var k = 0; k < 4; k++)
            {
                var bytes = Vector256.Load(row + 16 + 32 * k);
                (bytes & Vector256.Create((byte)15)).Store((byte*)codes + 64 * k);
                (bytes >> 4).Store((byte*)codes + 64 * k + 32);
            }
        }
    }

    /// <summary>The first 16 bytes of a block, as in Q5_K too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void UnpackScales(byte* block, float* scales, float* mins)
    {
        ulong a = *(uint*)(block + 4), b = *(uint*)(block + 8), c = *(uint*)(block + 12);
        var scale = a & 0x3F3F3F3F | (c & 0x0F0F0F0F | (a >> 6 & 0x03030303) << 4) << 32;
        var min = b & 0x3F3F3F3F | (c >> 4 & 0x0F0F0F0F | (b >> 6 & 0x03030303) << 4) << 32;
        (Singles(scale) * Half(block)).Store(scales);
        (Singles(min) * -Half(block + 2)).Store(mins);
    }
}
