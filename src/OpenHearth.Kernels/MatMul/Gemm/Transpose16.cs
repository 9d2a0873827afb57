using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>Sixteen rows of sixteen double words, as registers.</summary>
[InlineArray(16)]
internal struct Sixteen
{
    private Vector512<int> _first;
}

/// <summary>Turns rows of double words into columns; needs AVX-512.</summary>
internal static unsafe class Transpose16
{
    /// <summary>Transposes 16 × 16 double words in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void InPlace(ref Sixteen m)
    {
        // As locals they stay in registers, which elements of an array do not.
        var (m0, m1, m2, m3, m4, m5, m6, m7) = (m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]);
        var (m8, m9, m10, m11, m12, m13, m14, m15) = (m[8], m[9], m[10], m[11], m[12], m[13], m[14], m[15]);
        // Fours of rows are interleaved within 128-bit parts, which then change places.
        Quad(ref m0, ref m1, ref m2, ref m3);
        Quad(ref m4, ref m5, ref m6, ref m7);
        Quad(ref m8, ref m9, ref m10, ref m11);
        Quad(ref m12, ref m13, ref m14, ref m15);
        Parts(ref m0, ref m4, ref m8, ref m12);
        Parts(ref m1, ref m5, ref m9, ref m13);
        Parts(ref m2, ref m6, ref m10, ref m14);
        Parts(ref m3, ref m7, ref m11, ref m15);
        (m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]) = (m0, m1, m2, m3, m4, m5, m6, m7);
        (m[8], m[9], m[10], m[11], m[12], m[13], m[14], m[15]) = (m8, m9, m10, m11, m12, m13, m14, m15);
    }

    /// <summary>Transposes and stores: column k goes to <c>low + 64 k</c> for k &lt; 8 and to <c>high + 64 (k − 8)</c> behind that.</summary>
    /// <param name="source">The first row.</param>
    /// <param name="stride">Double words from one row to the next.</param>
    /// <param name="low">[8, 64 bytes]</param>
    /// <param name="high">[8, 64 bytes], or null to leave those columns out</param>
    public static void Store(int* source, int stride, byte* low, byte* high)
    {
        Unsafe.SkipInit(out Sixteen m);
        for (var r = 0; r < 16; r++)
            m[r] = Vector512.Load(source + (long)r * stride);
        InPlace(ref m);
        for (var k = 0; k < 8; k++)
            m[k].Store((int*)(low + 64 * k));
        if (high == null)
            return;
        for (var k = 0; k < 8; k++)
            m[k + 8].Store((int*)(high + 64 * k));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quad(ref Vector512<int> a, ref Vector512<int> b, ref Vector512<int> c, ref Vector512<int> d)
    {
        var (ab0, ab1) = (Avx512F.UnpackLow(a, b).AsInt64(), Avx512F.UnpackHigh(a, b).AsInt64());
        var (cd0, cd1) = (Avx512F.UnpackLow(c, d).AsInt64(), Avx512F.UnpackHigh(c, d).AsInt64());
        a = Avx512F.UnpackLow(ab0, cd0).AsInt32();
        b = Avx512F.UnpackHigh(ab0, cd0).AsInt32();
        c = Avx512F.UnpackLow(ab1, cd1).AsInt32();
        d = Avx512F.UnpackHigh(ab1, cd1).AsInt32();
    }

    // Part p of vector k of quad q holds column 4p + k of rows 4q to 4q + 3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Parts(ref Vector512<int> a, ref Vector512<int> b, ref Vector512<int> c, ref Vector512<int> d)
    {
        var (ab02, ab13) = (Avx512F.Shuffle4x128(a, b, 0x88), Avx512F.Shuffle4x128(a, b, 0xDD));
        var (cd02, cd13) = (Avx512F.Shuffle4x128(c, d, 0x88), Avx512F.Shuffle4x128(c, d, 0xDD));
        a = Avx512F.Shuffle4x128(ab02, cd02, 0x88);
        b = Avx512F.Shuffle4x128(ab13, cd13, 0x88);
        c = Avx512F.Shuffle4x128(ab02, cd02, 0xDD);
        d = Avx512F.Shuffle4x128(ab13, cd13, 0xDD);
    }
}
