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
        // Fours of rows are interleaved within 128-bit parts, which then change places.
        Quad(ref m, 0);
        Quad(ref m, 4);
        Quad(ref m, 8);
        Quad(ref m, 12);
        Parts(ref m, 0);
        Parts(ref m, 1);
        Parts(ref m, 2);
        Parts(ref m, 3);
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
    private static void Quad(ref Sixteen m, int r)
    {
        var (ab0, ab1) = (Avx512F.UnpackLow(m[r], m[r + 1]).AsInt64(), Avx512F.UnpackHigh(m[r], m[r + 1]).AsInt64());
        var (cd0, cd1) = (Avx512F.UnpackLow(m[r + 2], m[r + 3]).AsInt64(), Avx512F.UnpackHigh(m[r + 2], m[r + 3]).AsInt64());
        m[r] = Avx512F.UnpackLow(ab0, cd0).AsInt32();
        m[r + 1] = Avx512F.UnpackHigh(ab0, cd0).AsInt32();
        m[r + 2] = Avx512F.UnpackLow(ab1, cd1).AsInt32();
        m[r + 3] = Avx512F.UnpackHigh(ab1, cd1).AsInt32();
    }

    // Part p of vector k of quad q holds column 4p + k of rows 4q to 4q + 3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Parts(ref Sixteen m, int k)
    {
        var (a, b, c, d) = (m[k], m[k + 4], m[k + 8], m[k + 12]);
        var (ab02, ab13) = (Avx512F.Shuffle4x128(a, b, 0x88), Avx512F.Shuffle4x128(a, b, 0xDD));
        var (cd02, cd13) = (Avx512F.Shuffle4x128(c, d, 0x88), Avx512F.Shuffle4x128(c, d, 0xDD));
        m[k] = Avx512F.Shuffle4x128(ab02, cd02, 0x88);
        m[k + 4] = Avx512F.Shuffle4x128(ab13, cd13, 0x88);
        m[k + 8] = Avx512F.Shuffle4x128(ab02, cd02, 0xDD);
        m[k + 12] = Avx512F.Shuffle4x128(ab13, cd13, 0xDD);
    }
}
