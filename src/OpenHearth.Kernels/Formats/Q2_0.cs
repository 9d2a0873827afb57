using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 64 values of 2 bits with one scale: <c>value = d · (code − 1)</c>.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; bits 2k and 2k+1 of byte j: code 4j + k
/// </code>
/// </summary>
internal sealed class Q2_0() : BlockFormat(TensorType.Q2_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var i = 0; i < 64; i++)
            values[i] = d * ((block[2 + i / 4] >> (i % 4 * 2) & 3) - 1);
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            for (var g = 0; g < 4; g++)
            {
                var at = block + 2 + 4 * g;
                var codes = Vector128.Create(Pairs[at[0]], Pairs[at[1]], Pairs[at[2]], Pairs[at[3]]).AsSByte();
                Expand.Scaled(codes - Vector128<sbyte>.One, d, to + 16 * g);
            }
        }
    }

    /// <summary>The four codes of a byte, a byte each.</summary>
    private static readonly uint[] Pairs =
        [.. Enumerable.Range(0, 256).Select(bits => (uint)(bits & 3 | (bits >> 2 & 3) << 8 | (bits >> 4 & 3) << 16 | bits >> 6 << 24))];

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        var scale = ScaleSearch.LargestMagnitude(values);
        var inverse = scale > 0 ? 1 / scale : 0;
        WriteHalf(block, 0, scale);
        for (var i = 0; i < 64; i++)
            block[2 + i / 4] |= (byte)(Math.Clamp(ScaleSearch.RoundAway(values[i] * inverse) + 1, 0, 3) << i % 4 * 2);
    }
}
