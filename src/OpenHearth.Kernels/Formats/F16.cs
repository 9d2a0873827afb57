using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats;

/// <summary>IEEE 754 half precision, little-endian; encoding rounds ties to even and keeps subnormals.</summary>
internal sealed class F16() : BlockFormat(TensorType.F16)
{
    public override bool CanEncode => true;

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = Half(block, 0);

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; end - block >= 32; block += 32, to += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.Load((ushort*)block));
            ToSingle(lower).Store(to);
            ToSingle(upper).Store(to + 8);
        }
        for (; block < end; block += 2)
            *to++ = Expand.Half(block);
    }

    private protected override void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        WriteHalf(block, 0, values[0]);

    private protected override unsafe void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        fixed (float* from = values)
        fixed (byte* to = blocks)
        {
            var i = 0;
            for (; i <= values.Length - 16; i += 16)
                Vector256.Narrow(FromSingle(Vector256.Load(from + i)), FromSingle(Vector256.Load(from + i + 8))).Store((ushort*)to + i);
            for (; i < values.Length; i++)
                Unsafe.WriteUnaligned(to + 2 * i, (Half)from[i]);
        }
    }

    /// <summary>F16 bits to F32: the exponent is moved, subnormals are whole multiples of 2⁻²⁴, the top exponent stays the top one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> ToSingle(Vector256<uint> half)
    {
        var magnitude = half & Vector256.Create(0x7FFFu);
        var sign = (half ^ magnitude) << 16;
        var normal = (magnitude << 13) + Vector256.Create(112u << 23);
        var special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create(0x7BFF)).AsUInt32() & Vector256.Create(112u << 23);
        var subnormal = Vector256.ConvertToSingle(magnitude.AsInt32()) * Vector256.Create(1f / (1 << 24));
        var isSubnormal = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(0x400)).AsUInt32();
        return (Vector256.ConditionalSelect(isSubnormal, subnormal.AsUInt32(), normal + special) | sign).AsSingle();
    }

    /// <summary>F32 to F16 bits: adding 0.5 rounds what becomes subnormal; the rest is rounded in its bits and capped at infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> FromSingle(Vector256<float> value)
    {
        var magnitude = value.AsUInt32() & Vector256.Create(0x7FFF_FFFFu);
        var sign = (value.AsUInt32() ^ magnitude) >>> 16;
        var half = Vector256.Create(0.5f);
        var subnormal = (magnitude.AsSingle() + half).AsUInt32() - half.AsUInt32();
        var rounded = magnitude - Vector256.Create((112u << 23) - 0xFFF) + (magnitude >>> 13 & Vector256<uint>.One);
        var normal = Vector256.Min(rounded >>> 13, Vector256.Create(0x7C00u));
        var isSubnormal = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(0x3880_0000)).AsUInt32();
        var isNaN = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create(0x7F80_0000)).AsUInt32();
        return Vector256.ConditionalSelect(isSubnormal, subnormal, normal) | isNaN & Vector256.Create(0x7E00u) | sign;
    }
}
