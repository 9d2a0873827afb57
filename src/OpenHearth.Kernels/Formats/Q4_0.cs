using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 32 values of 4 bits with one scale: <c>value = d · (code − 8)</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class Q4_0() : BlockFormat(TensorType.Q4_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var j = 0; j < 16; j++)
        {
            var code = block[2 + j];
            values[j] = d * ((code & 15) - 8);
            values[j + 16] = d * ((code >> 4) - 8);
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            var (low, high) = Expand.Nibbles(block + 2);
            Expand.Scaled(low.AsSByte() - Vector128.Create((sbyte)8), d, to);
            Expand.Scaled(high.AsSByte() - Vector128.Create((sbyte)8), d, to + 16);
        }
    }

    private protected override unsafe void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        fixed (float* first = values)
        fixed (byte* start = blocks)
        {
            var block = start;
            for (float* row = first, end = first + values.Length; row < end; row += 32, block += 18)
            {
                var (a, b, c, d) = (Vector256.Load(row), Vector256.Load(row + 8), Vector256.Load(row + 16), Vector256.Load(row + 24));
                var top = Expand.Largest(Vector256.MaxNative(Vector256.MaxNative(a, b), Vector256.MaxNative(c, d)));
                var bottom = -Expand.Largest(-Vector256.MinNative(Vector256.MinNative(a, b), Vector256.MinNative(c, d)));
                // Of two extremes of one magnitude the first counts, which only the plain way knows.
                var extreme = top > -bottom ? top : top < -bottom ? bottom : ScaleSearch.Extreme(new(row, 32));
                var scale = extreme / -8;
                var inverse = Vector256.Create(scale == 0 ? 0 : 1 / scale);
                Unsafe.WriteUnaligned(block, (Half)scale);
                var low = Vector256.Narrow(Code(a * inverse), Code(b * inverse));
                var high = Vector256.Narrow(Code(c * inverse), Code(d * inverse)) << 4;
                Vector128.Narrow((low | high).GetLower(), (low | high).GetUpper()).AsByte().Store(block + 2);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Code(Vector256<float> value) =>
        Vector256.ConvertToInt32Native(Vector256.MinNative(value + Vector256.Create(8.5f), Vector256.Create(15f)));

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[32];
        WriteHalf(block, 0, ScaleSearch.Legacy(values, importance, 8, codes));
        for (var j = 0; j < 16; j++)
            block[2 + j] = (byte)(codes[j] | codes[j + 16] << 4);
    }
}
