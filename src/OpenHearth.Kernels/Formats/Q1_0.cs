using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 128 signs with one scale: <c>value = d</c> where the bit is set, <c>−d</c> where not.
/// <code>
/// byte  0  d     F16
///       2  qs    16 bytes; bit k of byte j: value 8j + k
/// </code>
/// </summary>
internal sealed class Q1_0() : BlockFormat(TensorType.Q1_0)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Half(block, 0);
        for (var i = 0; i < 128; i++)
            values[i] = (block[2 + i / 8] >> (i % 8) & 1) == 0 ? -d : d;
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            var d = Expand.Half(block);
            for (var j = 0; j < 16; j += 2)
            {
                // A byte of ones where the bit is set: 1 there, -1 elsewhere.
                var set = Vector128.Create(Codebook.SignBytes[block[2 + j]], Codebook.SignBytes[block[3 + j]]).AsSByte();
                Expand.Scaled((set & Vector128.Create((sbyte)2)) - Vector128<sbyte>.One, d, to + 8 * j);
            }
        }
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        var sum = 0f;
        for (var i = 0; i < 128; i++)
        {
            sum += MathF.Abs(values[i]);
            if (values[i] >= 0)
                block[2 + i / 8] |= (byte)(1 << i % 8);
        }
        WriteHalf(block, 0, sum / 128);
    }
}
