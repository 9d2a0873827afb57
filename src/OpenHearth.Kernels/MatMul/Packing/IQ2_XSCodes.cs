using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_XSCodes() : RowCodes(TensorType.IQ2_XS, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_XS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 74)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 16; g++, codes += 16)
                {
                    *scales++ = d * (0.5f + (row[66 + g / 2] >> (g % 2 * 4) & 15));
                    uint a = *(ushort*)(row + 2 + 4 * g), b = *(ushort*)(row + 4 + 4 * g);
                    var signs = Codebook.EvenSigns((int)(a >> 9)) | Codebook.EvenSigns((int)(b >> 9)) << 8;
                    StoreSigned(*(ulong*)(grid + 8 * (a & 511)), *(ulong*)(grid + 8 * (b & 511)), (uint)signs, codes);
                }
            }
        }
    }
}
