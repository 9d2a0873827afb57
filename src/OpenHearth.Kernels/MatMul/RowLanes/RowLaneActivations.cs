using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.MatMul.Gemm;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Activations as kernels with rows in lanes read them: for each group of 32 columns
/// <code>
/// codes    [upper, lower byte][8 fours of columns][tokens][4] signed bytes
/// offsets  [tokens] I32: what the codes' offset adds to the group's sum, negated
/// sums     [tokens] F32
/// </code>
/// Needs AVX-512.
/// </summary>
internal static unsafe class RowLaneActivations
{
    private const int MostTokens = 16;

    /// <summary>Bytes of a group.</summary>
    public static int GroupBytes(int tokens) => (2 * RowLaneCode.Group + 2 * sizeof(int)) * tokens;

    /// <summary>Where in a group the offsets are.</summary>
    public static int OffsetsAt(int tokens) => 2 * RowLaneCode.Group * tokens;

    /// <summary>Where in a group the sums are.</summary>
    public static int SumsAt(int tokens) => OffsetsAt(tokens) + sizeof(int) * tokens;

    /// <summary>Lays out groups.</summary>
    /// <param name="offset">That of the format's codes.</param>
    /// <param name="rounded">[tokens, stride] the first group's columns</param>
    /// <param name="stride">Numbers from token to token.</param>
    /// <param name="tokens">1 to 16.</param>
    /// <param name="groups">How many.</param>
    /// <param name="target">[groups, <see cref="GroupBytes"/>]</param>
    public static void Write(int offset, short* rounded, int stride, int tokens, int groups, byte* target)
    {
        var bytes = GroupBytes(tokens);
        var last = stackalloc byte[GroupBytes(MostTokens)];
        for (var g = 0; g < groups - 1; g++)
            WriteGroup(offset, rounded + g * RowLaneCode.Group, stride, tokens, target + (long)g * bytes);
        // Whole vectors are stored one over the end of the other; what follows the last group may be another thread's.
        WriteGroup(offset, rounded + (groups - 1) * RowLaneCode.Group, stride, tokens, last);
        new ReadOnlySpan<byte>(last, bytes).CopyTo(new Span<byte>(target + (long)(groups - 1) * bytes, bytes));
    }

    private static void WriteGroup(int offset, short* rounded, int stride, int tokens, byte* target)
    {
        Unsafe.SkipInit(out Sixteen m);
        for (var t = 0; t < MostTokens; t++)
            m[t] = t < tokens ? Planes(Vector512.Load(rounded + (long)t * stride)).AsInt32() : default;
        Transpose16.InPlace(ref m);
        var row = tokens * sizeof(int);
        for (var k = 0; k < 16; k++, target += row)
            m[k].Store((int*)target);
        var sums = Sums(ref m);
        (sums * -offset).Store((int*)target);
        Vector512.ConvertToSingle(sums).Store((float*)(target + row));
    }

    // The upper bytes of 32 numbers, then the lower ones; lower bytes are signed, so the upper ones are rounded.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Planes(Vector512<short> values)
    {
        var apart = Vector512.Create(
            (byte)1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63,
            0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62);
        var flip = Vector512.Create(Vector256<byte>.Zero, Vector256.Create((byte)0x80));
        return Avx512Vbmi.PermuteVar64x8((values + Vector512.Create((short)0x80)).AsByte(), apart) ^ flip;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Sums(ref Sixteen m)
    {
        var (upper, lower) = (Vector512<short>.Zero, Vector512<short>.Zero);
        for (var k = 0; k < 8; k++)
        {
            upper += Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, m[k].AsSByte());
            lower += Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, m[k + 8].AsSByte());
        }
        return Avx512BW.MultiplyAddAdjacent(upper, Vector512.Create((short)256)) + Avx512BW.MultiplyAddAdjacent(lower, Vector512<short>.One);
    }
}
