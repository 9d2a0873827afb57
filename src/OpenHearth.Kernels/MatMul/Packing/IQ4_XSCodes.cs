using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -127 to 113: the steps themselves.</summary>
internal sealed unsafe class IQ4_XSCodes() : RowCodes(TensorType.IQ4_XS, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var steps = Vector128.Create(IQ4_NL.Steps);
        for (var i = 0; i < columns; i += 256, row += 136)
        {
            var d = Half(row);
            int high = *(ushort*)(row + 2);
            for (var g = 0; g < 8; g++, codes += 32)
            {
                var scale = row[4 + g / 2] >> (g % 2 * 4) & 15 | (high >> 2 * g & 3) << 4;
                *scales++ = d * (scale - 32);
                IQ4_NLCodes.StoreSteps(steps, row + 8 + 16 * g, codes);
            }
        }
    }
}
