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
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = BinaryPrimitives.ReadSingleLittleEndian(block);
        for (var j = 0; j < 256; j++)
            values[j] = d * (sbyte)block[4 + j];
    }
}
