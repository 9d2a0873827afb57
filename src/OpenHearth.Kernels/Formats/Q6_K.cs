using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 6 bits in groups of 16 with signed 8-bit scales: <c>value = (d · scale) · (code − 32)</c>.
/// <code>
/// byte    0  ql      2 × 64 bytes, one half for 128 values; byte j: low four bits of code j (low nibble) and j + 64 (high)
///       128  qh      2 × 32 bytes; bits 2k and 2k+1 of byte j: upper bits of code 32k + j of the half
///       192  scales  16 signed bytes
///       208  d       F16
/// </code>
/// </summary>
internal sealed class Q6_K() : BlockFormat(TensorType.Q6_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 208);
        for (var i = 0; i < 256; i++)
        {
            var (half, k) = (i / 128, i % 128);
            var low = block[half * 64 + k % 64] >> (k / 64 * 4) & 15;
            var high = block[128 + half * 32 + k % 32] >> (k / 32 * 2) & 3;
            values[i] = d * (sbyte)block[192 + i / 16] * ((low | high << 4) - 32);
        }
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block + 208);
            DecodeGroups(block, 0, d, to);
            DecodeGroups(block, 1, d, to + 16);
            DecodeGroups(block, 8, d, to + 128);
            DecodeGroups(block, 9, d, to + 144);
        }
    }

    /// <summary>Decodes groups g, g + 2, g + 4 and g + 6, which share their bytes with the upper bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void DecodeGroups(byte* block, int g, float d, float* to)
    {
        var (first, third) = Expand.Nibbles(block + g / 8 * 64 + g % 2 * 16);
        var (second, fourth) = Expand.Nibbles(block + g / 8 * 64 + g % 2 * 16 + 32);
        var upper = Vector128.Load(block + 128 + g / 8 * 32 + g % 2 * 16);
        var (mask, zero) = (Vector128.Create((byte)0x30), Vector128.Create((sbyte)32));
        var scales = (sbyte*)block + 192 + g;
        Expand.Scaled((first | upper << 4 & mask).AsSByte() - zero, d * scales[0], to);
        Expand.Scaled((second | upper << 2 & mask).AsSByte() - zero, d * scales[2], to + 32);
        Expand.Scaled((third | upper & mask).AsSByte() - zero, d * scales[4], to + 64);
        Expand.Scaled((fourth | upper >>> 2 & mask).AsSByte() - zero, d * scales[6], to + 96);
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        Span<float> scales = stackalloc float[16], weights = stackalloc float[16];
        for (var g = 0; g < 16; g++)
        {
            var group = values.Slice(16 * g, 16);
            if (importance.IsNone)
                ScaleSearch.Squares(group, weights);
            else
                importance.Slice(16 * g, 16).Weights.CopyTo(weights);
            scales[g] = ScaleSearch.Symmetric(group, weights, 32, codes.Slice(16 * g, 16));
        }
        block.Clear();
        var extreme = ScaleSearch.Extreme(scales);
        if (MathF.Abs(extreme) < ScaleSearch.Nothing)
            return;
        var inverse = -128 / extreme;
        var d = WriteHalf(block, 208, 1 / inverse);
        for (var g = 0; g < 16; g++)
        {
            var scale = Math.Clamp(ScaleSearch.Round(inverse * scales[g]), -128, 127);
            block[192 + g] = (byte)(sbyte)scale;
            ScaleSearch.Requantize(values.Slice(16 * g, 16), d * scale, 0, -32, 31, codes.Slice(16 * g, 16));
        }
        for (var i = 0; i < 256; i++)
        {
            var (half, k) = (i / 128, i % 128);
            block[half * 64 + k % 64] |= (byte)((codes[i] & 15) << k / 64 * 4);
            block[128 + half * 32 + k % 32] |= (byte)(codes[i] >> 4 << k / 32 * 2);
        }
    }
}
