using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -9 to 9: eight times the point, and the shift as one more or less.</summary>
internal sealed unsafe class IQ1_SCodes() : RowCodes(TensorType.IQ1_S, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ1_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 50)
            {
                var d = Half(row) * 0.125f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    uint bits = *(ushort*)(row + 34 + 2 * g);
                    *scales++ = d * (2 * (bits >> 12 & 7) + 1);
                    var shift = bits >= 0x8000 ? -1 : 1;
                    for (var k = 0; k < 4; k++)
                        StorePoint(grid, row[2 + 4 * g + k] | (bits >> 3 * k & 7) << 8, shift, codes + 8 * k);
                }
            }
        }
    }

    /// <summary>Eight codes of a point, as in IQ1_M too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StorePoint(sbyte* grid, uint code, int shift, sbyte* codes)
    {
        var point = Vector128.CreateScalar(*(ulong*)(grid + 8 * code)).AsSByte();
        *(ulong*)codes = ((point << 3) + Vector128.Create((sbyte)shift)).AsUInt64()[0];
    }
}
