using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// BitNet's ternary values of 2 bits, as Microsoft's tools write them on x86-64: <c>value = scale · (code − 1)</c> with one
/// scale for the whole tensor, so blocks decode to code − 1 and whoever multiplies applies <see cref="TensorScale"/>.
/// (Their tools for Arm interleave blocks of 64 values instead; nothing in a file tells the two apart.)
/// <code>
/// byte  0  qs    32 bytes for 128 values; bits 6−2k and 7−2k of byte j: code 32k + j
/// behind the tensor's blocks: scale, F32; 28 bytes of padding
/// </code>
/// </summary>
internal sealed class I2_S() : BlockFormat(TensorType.I2_S)
{
    public override float TensorScale(ReadOnlySpan<byte> trailer) => BinaryPrimitives.ReadSingleLittleEndian(trailer);

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (var i = 0; i < 128; i++)
            values[i] = (block[i % 32] >> (6 - i / 32 * 2) & 3) - 1;
    }

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
        {
            for (var g = 0; g < 8; g++)
            {
                var codes = Expand.Bits(Vector128.Load(block + g % 2 * 16), 6 - g / 2 * 2, 3);
                Expand.Scaled(codes.AsSByte() - Vector128<sbyte>.One, 1, to + 16 * g);
            }
        }
    }
}
