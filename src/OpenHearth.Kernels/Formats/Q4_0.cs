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

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[32];
        WriteHalf(block, 0, ScaleSearch.Legacy(values, importance, 8, codes));
        for (var j = 0; j < 16; j++)
            block[2 + j] = (byte)(codes[j] | codes[j + 16] << 4);
    }
}
