using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -15 to 15.</summary>
internal sealed unsafe class IQ3_SCodes() : RowCodes(TensorType.IQ3_S, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ3_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 110)
            {
                var d = Half(row);
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    *scales++ = d * (1 + 2 * (row[106 + g / 2] >> (g % 2 * 4) & 15));
                    var point = row + 2 + 8 * g;
                    int high = row[66 + g];
                    for (var k = 0; k < 8; k += 4)
                    {
                        var low = IQ3_XXSCodes.Pair(grid, point[k] | (high >> k & 1) << 8, point[k + 1] | (high >> k + 1 & 1) << 8);
                        var rest = IQ3_XXSCodes.Pair(grid, point[k + 2] | (high >> k + 2 & 1) << 8, point[k + 3] | (high >> k + 3 & 1) << 8);
                        StoreSigned(low, rest, *(ushort*)(row + 74 + 4 * g + k / 2), codes + 4 * k);
                    }
                }
            }
        }
    }
}
