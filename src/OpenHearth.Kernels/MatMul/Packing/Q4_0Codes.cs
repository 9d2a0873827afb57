using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -8 to 7.</summary>
internal sealed unsafe class Q4_0Codes() : RowCodes(TensorType.Q4_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 18, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 18)
            (Nibbles(row + 2) - Vector256.Create((byte)8)).Store((byte*)codes + i);
    }
}
