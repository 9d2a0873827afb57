using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -12 to 12: twice the number.</summary>
internal sealed unsafe class MXFP4Codes() : RowCodes(TensorType.MXFP4, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var doubled = Vector128.Create(MXFP4.Doubled);
        for (var i = 0; i < columns; i += 32, row += 17)
        {
            *scales++ = MXFP4.HalfScale(row[0]);
            IQ4_NLCodes.StoreSteps(doubled, row + 1, codes + i);
        }
    }
}
