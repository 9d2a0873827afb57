using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.MatMul.Gemm;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Activations as kernels with rows in lanes read them: for each 32 columns
/// <code>
/// codes    [upper, lower byte][8 fours of columns][tokens][4] signed bytes
/// offsets  [groups][tokens] I32: what the codes' offset adds to a group's sum, negated
/// sums     [groups][tokens] F32, for formats with minimums
/// </code>
/// Needs AVX-512.
/// </summary>
internal static unsafe class RowLaneActivations
{
    private const int MostTokens = 16;

    /// <summary>Columns that lie together.</summary>
    public const int Columns = 32;

    /// <summary>Bytes of 32 columns.</summary>
    public static int Bytes(int tokens, RowLaneCode code) => SumsAt(tokens, code) + (code.HasMins ? Columns / code.Group * sizeof(int) * tokens : 0);

    /// <summary>Where in them the offsets are.</summary>
    public static int OffsetsAt(int tokens) => 2 * Columns * tokens;

    /// <summary>Where in them the sums are.</summary>
    public static int SumsAt(int tokens, RowLaneCode code) => OffsetsAt(tokens) + Columns / code.Group * sizeof(int) * tokens;

    /// <summary>Lays out columns.</summary>
    /// <param name="code">The format.</param>
    /// <param name="rounded">[tokens, stride] the first columns</param>
    /// <param name="stride">Numbers from token to token.</param>
    /// <param name="tokens">1 to 16.</param>
    /// <param name="count">How many times 32 columns.</param>
    /// <param name="target">[count, <see cref="Bytes"/>]</param>
    public static void Write(RowLaneCode code, short* rounded, int stride, int tokens, int count, byte* target)
    {
        var bytes = Bytes(tokens, code);
        var last = stackalloc byte[bytes + 64]; // whole vectors
        for (var i = 0; i < count - 1; i++)
            WriteColumns(code, rounded + i * Columns, stride, tokens, target + (long)i * bytes);
        // Whole vectors are stored one over the end of the other; what follows the last columns may be another thread's.
        WriteColumns(code, rounded + (count - 1) * Columns, stride, tokens, last);
        new ReadOnlySpan<byte>(last, bytes).CopyTo(new Span<byte>(target + (long)(count - 1) * bytes, bytes));
    }

    private static void WriteColumns(RowLaneCode code, short* rounded, int stride, int tokens, byte* target)
    {
        Unsafe.SkipInit(out Sixteen m);
        for (var t = 0; t < MostTokens; t++)
            m[t] = t < tokens ? Planes(Vector512.Load(rounded + (long)t * stride)).AsInt32() : default;
        Transpose16.InPlace(ref m);
        var row = tokens * sizeof(int);
        for (var k = 0; k < 16; k++, target += row)
            m[k].Store((int*)target);
        var (first, second) = (Sums(ref m, 0), Sums(ref m, 4));
        var groups = Columns / code.Group;
        if (groups == 1)
            first += second;
        var sums = target + groups * row;
        (first * -code.Offset).Store((int*)target);
        if (groups == 2)
            (second * -code.Offset).Store((int*)(target + row));
        if (!code.HasMins)
            return;
        Vector512.ConvertToSingle(first).Store((float*)sums);
        if (groups == 2)
            Vector512.ConvertToSingle(second).Store((float*)(sums + row));
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
    private static Vector512<int> Sums(ref Sixteen m, int firstFour)
    {
        var (upper, lower) = (Vector512<short>.Zero, Vector512<short>.Zero);
        for (var k = firstFour; k < firstFour + 4; k++)
        {
            upper += Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, m[k].AsSByte());
            lower += Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, m[k + 8].AsSByte());
        }
        return Avx512BW.MultiplyAddAdjacent(upper, Vector512.Create((short)256)) + Avx512BW.MultiplyAddAdjacent(lower, Vector512<short>.One);
    }
}
