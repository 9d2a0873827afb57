using System.Runtime.CompilerServices;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -62 to 62.</summary>
internal sealed unsafe class IQ3_XXSCodes() : RowCodes(TensorType.IQ3_XXS, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ3_XXS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 98)
            {
                var d = Half(row) * 0.5f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    var point = row + 2 + 8 * g;
                    var bits = *(uint*)(row + 66 + 4 * g);
                    *scales++ = d * (0.5f + (bits >> 28));
                    for (var k = 0; k < 2; k++)
                    {
                        var signs = Codebook.EvenSigns((int)(bits >> 14 * k & 127)) | Codebook.EvenSigns((int)(bits >> 14 * k + 7 & 127)) << 8;
                        StoreSigned(Pair(grid, point[4 * k], point[4 * k + 1]), Pair(grid, point[4 * k + 2], point[4 * k + 3]), (uint)signs, codes + 16 * k);
                    }
                }
            }
        }
    }

    /// <summary>Two points of four, as in IQ3_S too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Pair(sbyte* grid, int a, int b) => *(uint*)(grid + 4 * a) | (ulong)*(uint*)(grid + 4 * b) << 32;
}
