using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -9 to 9, as in <see cref="IQ1_SCodes"/>.</summary>
internal sealed unsafe class IQ1_MCodes() : RowCodes(TensorType.IQ1_M, 16, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ1_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 56)
            {
                var packed = *(ulong*)(row + 48);
                var half = (ushort)(packed >> 12 & 0xF | packed >> 24 & 0xF0 | packed >> 36 & 0xF00 | packed >> 48 & 0xF000);
                var d = Half((byte*)&half) * 0.125f;
                for (var g = 0; g < 16; g++)
                    *scales++ = d * (2 * (packed >> (g / 4 * 16 + g % 4 * 3) & 7) + 1);
                for (var k = 0; k < 32; k++, codes += 8)
                {
                    var nibble = (uint)(row[32 + k / 2] >> (k % 2 * 4) & 15);
                    IQ1_SCodes.StorePoint(grid, row[k] | (nibble & 7) << 8, nibble >= 8 ? -1 : 1, codes);
                }
            }
        }
    }
}
