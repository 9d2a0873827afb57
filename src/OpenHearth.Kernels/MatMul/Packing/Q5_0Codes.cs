using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -16 to 15.</summary>
internal sealed unsafe class Q5_0Codes() : RowCodes(TensorType.Q5_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 22, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 22)
        {
            // Without the fifth bit a code lies 16 lower: in two's complement, that is its upper bits set.
            var low = Vector256.AndNot(Vector256.Create((byte)0xF0), Spread(*(uint*)(row + 2)));
            (Nibbles(row + 6) | low).Store((byte*)codes + i);
        }
    }
}
