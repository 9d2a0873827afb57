using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -12 to 12: twice the number.</summary>
internal sealed unsafe class NVFP4Codes() : RowCodes(TensorType.NVFP4, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var doubled = Vector128.Create(MXFP4.Doubled);
        for (var i = 0; i < columns; i += 64, row += 36)
        {
            for (var g = 0; g < 4; g++, codes += 16)
            {
                *scales++ = NVFP4.HalfScale(row[g]);
                var bytes = *(ulong*)(row + 4 + 8 * g);
                var nibbles = Vector128.Create(bytes & 0x0F0F0F0F0F0F0F0F, bytes >> 4 & 0x0F0F0F0F0F0F0F0F).AsSByte();
                Vector128.Shuffle(doubled, nibbles).Store(codes);
            }
        }
    }
}
