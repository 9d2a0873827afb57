using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>The upper 16 bits of an F32, little-endian; encoding rounds ties to even and makes every NaN quiet.</summary>
internal sealed class BF16() : BlockFormat(TensorType.BF16)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(block) << 16);

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; end - block >= 32; block += 32, to += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.Load((ushort*)block));
            (lower << 16).Store((uint*)to);
            (upper << 16).Store((uint*)to + 8);
        }
        for (; block < end; block += 2)
            *to++ = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(block) << 16);
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        BinaryPrimitives.WriteUInt16LittleEndian(block, FromSingle(values[0]));

    private protected override unsafe void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        fixed (float* from = values)
        fixed (byte* to = blocks)
            FromSingles(from, (ushort*)to, values.Length);
    }

    /// <summary>Rounds some values.</summary>
    internal static unsafe void FromSingles(float* from, ushort* to, int count)
    {
        var i = 0;
        for (; i <= count - 16; i += 16)
            Vector256.Narrow(FromSingle(Vector256.Load(from + i)), FromSingle(Vector256.Load(from + i + 8))).Store(to + i);
        for (; i < count; i++)
            Unsafe.WriteUnaligned(to + i, FromSingle(from[i]));
    }

    internal static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 64)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>As for one value, eight at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> FromSingle(Vector256<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector256.Create(0x7FFFu) + (bits >>> 16 & Vector256<uint>.One)) >>> 16;
        return Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits >>> 16 | Vector256.Create(64u));
    }
}
