using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -128 to 127, as they are stored.</summary>
internal sealed unsafe class Q8_0Codes() : RowCodes(TensorType.Q8_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 34, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 34)
            Vector256.Load(row + 2).Store((byte*)codes + i);
    }
}
