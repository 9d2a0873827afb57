using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_SCodes() : RowCodes(TensorType.IQ2_S, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 82)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 16; g++, codes += 16)
                {
                    *scales++ = d * (0.5f + (row[74 + g / 2] >> (g % 2 * 4) & 15));
                    var high = row[66 + g / 2] >> (g % 2 * 4);
                    var a = row[2 + 2 * g] | (high & 3) << 8;
                    var b = row[3 + 2 * g] | (high >> 2 & 3) << 8;
                    StoreSigned(*(ulong*)(grid + 8 * a), *(ulong*)(grid + 8 * b), *(ushort*)(row + 34 + 2 * g), codes);
                }
            }
        }
    }
}
