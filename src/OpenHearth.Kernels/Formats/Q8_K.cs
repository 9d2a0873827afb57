using System.Buffers.Binary;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// 256 values of 8 bits with one F32 scale, and the sums of each 16 codes: <c>value = d · code</c>.
/// <code>
/// byte    0  d      F32
///         4  qs     256 signed bytes
///       260  bsums  16 × I16: sums of 16 codes each
/// </code>
/// </summary>
internal sealed class Q8_K() : BlockFormat(TensorType.Q8_K)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = BinaryPrimitives.ReadSingleLittleEndian(block);
        for (var j = 0; j < 256; j++)
            values[j] = d * (sbyte)block[4 + j];
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block)
    {
        block.Clear();
        var extreme = ScaleSearch.Extreme(values);
        if (extreme == 0)
            return;
        var inverse = -127 / extreme;
        BinaryPrimitives.WriteSingleLittleEndian(block, 1 / inverse);
        for (var g = 0; g < 16; g++)
        {
            var sum = 0;
            for (var j = 16 * g; j < 16 * g + 16; j++)
            {
                var code = (sbyte)Math.Min(ScaleSearch.Round(inverse * values[j]), 127); // an infinite inverse wraps to 0
                block[4 + j] = (byte)code;
                sum += code;
            }
            BinaryPrimitives.WriteInt16LittleEndian(block[(260 + 2 * g)..], (short)sum);
        }
    }
}
