using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 31.</summary>
internal sealed unsafe class Q5_1Codes() : RowCodes(TensorType.Q5_1, 32, hasMins: true)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 24, columns / 32, scales);
        Halves(row + 2, 24, columns / 32, mins);
        for (var i = 0; i < columns; i += 32, row += 24)
            (Nibbles(row + 8) | Spread(*(uint*)(row + 4)) & Vector256.Create((byte)16)).Store((byte*)codes + i);
    }
}
