using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>F16 to F32 with integer instructions, since .NET 10 has none for it. Exact, infinities and NaN included.</summary>
internal static unsafe class HalfNumbers
{
    // Subnormals are taken as whole numbers: as subnormal floats they would cost a hundred cycles each.
    private const float SmallestSubnormal = 1f / (1 << 24);

    /// <summary>One number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(uint half)
    {
        var magnitude = half & 0x7FFF;
        var bits = magnitude switch
        {
            < 0x0400 => BitConverter.SingleToUInt32Bits(magnitude * SmallestSubnormal),
            < 0x7C00 => (magnitude << 13) + (112 << 23),
            _ => magnitude << 13 | 0x7F80_0000,
        };
        return BitConverter.UInt32BitsToSingle(bits | (half & 0x8000) << 16);
    }

    /// <summary>Eight numbers, one in each double word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<uint> halves)
    {
        var magnitude = halves & Vector256.Create(0x7FFFu);
        var normal = (magnitude << 13) + Vector256.Create(112u << 23);
        var subnormal = (Vector256.ConvertToSingle(magnitude.AsInt32()) * SmallestSubnormal).AsUInt32();
        var infinite = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create(0x7BFF)).AsUInt32() & Vector256.Create(0x7F80_0000u);
        var bits = Vector256.ConditionalSelect(Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(0x0400)).AsUInt32(), subnormal, normal | infinite);
        return (bits | (halves & Vector256.Create(0x8000u)) << 16).AsSingle();
    }

    /// <summary>Sixteen numbers, one in each double word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> halves)
    {
        var magnitude = halves & Vector512.Create(0x7FFFu);
        var normal = (magnitude << 13) + Vector512.Create(112u << 23);
        var subnormal = (Vector512.ConvertToSingle(magnitude.AsInt32()) * SmallestSubnormal).AsUInt32();
        var infinite = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create(0x7BFF)).AsUInt32() & Vector512.Create(0x7F80_0000u);
        var bits = Vector512.ConditionalSelect(Vector512.LessThan(magnitude.AsInt32(), Vector512.Create(0x0400)).AsUInt32(), subnormal, normal | infinite);
        return (bits | (halves & Vector512.Create(0x8000u)) << 16).AsSingle();
    }

    /// <summary>Many numbers. The target may overlap the source where it ends no later.</summary>
    /// <param name="halves">[count]</param>
    /// <param name="count">Any.</param>
    /// <param name="values">[count]</param>
    public static void Decode(ushort* halves, int count, float* values)
    {
        var i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= count - 16; i += 16)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(halves + i));
            ToSingle(Vector512.Create(low, high)).Store(values + i);
        }
        for (; i <= count - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(halves + i));
            ToSingle(Vector256.Create(low, high)).Store(values + i);
        }
        for (; i < count; i++)
            values[i] = ToSingle(halves[i]);
    }
}
