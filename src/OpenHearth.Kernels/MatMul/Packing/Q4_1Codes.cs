using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 15.</summary>
internal sealed unsafe class Q4_1Codes() : RowCodes(TensorType.Q4_1, 32, hasMins: true)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 20, columns / 32, scales);
        Halves(row + 2, 20, columns / 32, mins);
        for (var i = 0; i < columns; i += 32, row += 20)
            Nibbles(row + 4).Store((byte*)codes + i);
    }
}
