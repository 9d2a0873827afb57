using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// The OCP microscaling format: 32 values of FP4 (E2M1) with a power of two: <c>value = 2^(e − 127) · fp4[code]</c>.
/// <code>
/// byte  0  e     exponent, biased by 127 (E8M0)
///       1  qs    16 bytes; byte j: low nibble = code j, high nibble = code j + 16
/// </code>
/// </summary>
internal sealed class MXFP4() : BlockFormat(TensorType.MXFP4)
{
    public override bool CanEncode => true;

    /// <summary>Twice what each FP4 code means, shared with <see cref="NVFP4"/>.</summary>
    internal static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var half = HalfScale(block[0]);
        for (var j = 0; j < 16; j++)
        {
            values[j] = half * Doubled[block[1 + j] & 15];
            values[j + 16] = half * Doubled[block[1 + j] >> 4];
        }
    }

    /// <summary>2^(e − 128): half of the scale, for the doubled codes. The two smallest are subnormal.</summary>
    internal static float HalfScale(byte e) => BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << e : (uint)(e - 1) << 23);

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var half = HalfScale(*block);
            var (low, high) = Expand.Nibbles(block + 1);
            var doubled = Vector128.Create(Doubled);
            Expand.Scaled(Vector128.ShuffleNative(doubled, low.AsSByte()), half, to);
            Expand.Scaled(Vector128.ShuffleNative(doubled, high.AsSByte()), half, to + 16);
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        var largest = ScaleSearch.LargestMagnitude(values);
        // ggml floors the F32 logarithm, which rounds up to a whole number just below a power of two.
        var exponent = largest > 0 ? (int)MathF.Floor((float)Math.Log2(largest)) - 2 + 127 : 0;
        block[0] = (byte)Math.Clamp(exponent, 0, 254);
        var half = HalfScale(block[0]);
        for (var j = 0; j < 16; j++)
            block[1 + j] = (byte)(Nearest(values[j], half) | Nearest(values[j + 16], half) << 4);
    }

    /// <summary>The code whose value is nearest, the first of equals.</summary>
    internal static int Nearest(float value, float halfScale)
    {
        var (best, bestError) = (0, MathF.Abs(value));
        for (var code = 1; code < 16; code++)
        {
            var error = MathF.Abs(Doubled[code] * halfScale - value);
            if (error < bestError)
                (best, bestError) = (code, error);
        }
        return best;
    }
}
