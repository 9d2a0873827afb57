using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// What the fast decoders share: 16 integer codes to 16 floats. A code times its scale is exact in F32 in every format, so
/// the width of the vectors can't change a result.
/// </summary>
internal static unsafe class Expand
{
    /// <summary>Writes scale · code.</summary>
    /// <param name="codes">16 codes.</param>
    /// <param name="scale">Factor.</param>
    /// <param name="to">Room for 16 floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scaled(Vector128<sbyte> codes, float scale, float* to)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(codes)) * Vector512.Create(scale)).Store(to);
        }
        else if (Avx2.IsSupported)
        {
            var factor = Vector256.Create(scale);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(codes)) * factor).Store(to);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.Shuffle(codes.AsInt64(), Vector128.Create(1L, 1)).AsSByte())) * factor).Store(to + 8);
        }
        else
        {
            var factor = Vector128.Create(scale);
            var (lower, upper) = Vector128.Widen(codes);
            var (a, b) = Vector128.Widen(lower);
            var (c, d) = Vector128.Widen(upper);
            (Vector128.ConvertToSingle(a) * factor).Store(to);
            (Vector128.ConvertToSingle(b) * factor).Store(to + 4);
            (Vector128.ConvertToSingle(c) * factor).Store(to + 8);
            (Vector128.ConvertToSingle(d) * factor).Store(to + 12);
        }
    }

    /// <summary>Writes scale · code + offset.</summary>
    /// <param name="codes">16 codes.</param>
    /// <param name="scale">Factor.</param>
    /// <param name="offset">Added to each product.</param>
    /// <param name="to">Room for 16 floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Shifted(Vector128<sbyte> codes, float scale, float offset, float* to)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(codes)) * Vector512.Create(scale) + Vector512.Create(offset)).Store(to);
            return;
        }
        Scaled(codes, scale, to);
        var shift = Vector128.Create(offset);
        for (var i = 0; i < 16; i += 4)
            (Vector128.Load(to + i) + shift).Store(to + i);
    }

    /// <summary>The low and the high nibbles of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<byte> Low, Vector128<byte> High) Nibbles(byte* packed)
    {
        var bytes = Vector128.Load(packed);
        return (bytes & Vector128.Create((byte)15), bytes >>> 4);
    }

    /// <summary>Some bits of each byte: (byte >> shift) and mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Bits(Vector128<byte> bytes, int shift, byte mask) =>
        (bytes.AsUInt16() >>> shift).AsByte() & Vector128.Create(mask);

    /// <summary>The largest lane, where none is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> values)
    {
        var four = Vector128.MaxNative(values.GetLower(), values.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>The F16 number at an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(byte* at) => (float)BitConverter.UInt16BitsToHalf(Unsafe.ReadUnaligned<ushort>(at));
}
