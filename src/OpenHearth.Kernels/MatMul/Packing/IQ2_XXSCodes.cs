using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_XXSCodes() : RowCodes(TensorType.IQ2_XXS, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_XXS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 66)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 8; g++, codes += 32)
                {
                    var point = row + 2 + 8 * g;
                    var bits = *(uint*)(point + 4);
                    *scales++ = d * (0.5f + (bits >> 28));
                    for (var k = 0; k < 4; k += 2)
                    {
                        var signs = Codebook.EvenSigns((int)(bits >> 7 * k & 127)) | Codebook.EvenSigns((int)(bits >> 7 * k + 7 & 127)) << 8;
                        StoreSigned(*(ulong*)(grid + 8 * point[k]), *(ulong*)(grid + 8 * point[k + 1]), (uint)signs, codes + 8 * k);
                    }
                }
            }
        }
    }
}
