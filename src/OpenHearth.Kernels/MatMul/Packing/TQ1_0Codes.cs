using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0 and 1.</summary>
internal sealed unsafe class TQ1_0Codes() : RowCodes(TensorType.TQ1_0, 32, hasMins: false)
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 54, codes += 256, scales += 8)
        {
            Vector256.Create(Half(row + 52)).Store(scales);
            var power = 1;
            for (var digit = 0; digit < 5; digit++, power *= 3)
            {
                for (var j = 0; j < 32; j += 16)
                    Digits(Vector128.Load(row + j), power).Store(codes + 32 * digit + j);
                Digits(Vector128.Load(row + 32), power).Store(codes + 160 + 16 * digit);
                if (digit < 4)
                    *(uint*)(codes + 240 + 4 * digit) = Digits(Vector128.CreateScalar(*(uint*)(row + 48)).AsByte(), power).AsUInt32()[0];
            }
        }
    }

    /// <summary>The digit that multiplying by a power of three, modulo 256, and then by three moves above a byte; minus 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Digits(Vector128<byte> bytes, int power)
    {
        var (low, high) = Vector128.Widen(bytes);
        var (mask, three) = (Vector128.Create((ushort)255), Vector128.Create((ushort)3));
        low = (low * (ushort)power & mask) * three >> 8;
        high = (high * (ushort)power & mask) * three >> 8;
        return (Vector128.Narrow(low, high) - Vector128<byte>.One).AsSByte();
    }
}
