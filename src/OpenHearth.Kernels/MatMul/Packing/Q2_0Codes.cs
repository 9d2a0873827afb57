using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2.</summary>
internal sealed unsafe class Q2_0Codes() : RowCodes(TensorType.Q2_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 64, row += 18, scales += 2)
        {
            scales[0] = scales[1] = Half(row);
            for (var k = 0; k < 16; k += 4, codes += 16)
            {
                var bytes = Vector128.CreateScalar(*(uint*)(row + 2 + k)).AsByte();
                var repeated = Vector128.Shuffle(bytes, Vector128.Create((byte)0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3));
                var (low, high) = Vector128.Widen(repeated);
                (Vector128.Narrow(Pairs(low), Pairs(high)) - Vector128<byte>.One).AsSByte().Store(codes);
            }
        }
    }

    // Of four copies of a byte, the first keeps bits 0-1, the next 2-3 and so on: multiplying moves each pair to bits 6-7.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Pairs(Vector128<ushort> copies) =>
        copies * Vector128.Create((ushort)64, 16, 4, 1, 64, 16, 4, 1) >> 6 & Vector128.Create((ushort)3);
}
