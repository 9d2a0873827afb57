using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Activations as kernels with rows in lanes read them: for each 32 columns
/// <code>
/// codes    [upper, lower byte][8 fours of columns, see RowLaneCode.Stride][tokens][4] signed bytes
/// offsets  [groups][tokens] I32: what the codes' offset adds to a group's sum, negated
/// sums     [groups][tokens] F32, for formats with minimums
/// </code>
/// Needs AVX-512.
/// </summary>
internal static unsafe class RowLaneActivations
{
    private static readonly Vector512<byte>[] PlacesOfStrides = [.. Enumerable.Range(0, 4).Select(power => Places(1 << power))];

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
        var places = PlacesOfStrides[int.Log2(code.Stride)];
        var last = stackalloc byte[bytes + 64]; // whole vectors
        for (var i = 0; i < count - 1; i++)
            WriteColumns(code, places, rounded + i * Columns, stride, tokens, target + (long)i * bytes);
        // What follows the last columns may be another thread's.
        WriteColumns(code, places, rounded + (count - 1) * Columns, stride, tokens, last);
        new ReadOnlySpan<byte>(last, bytes).CopyTo(new Span<byte>(target + (long)(count - 1) * bytes, bytes));
    }

    // Whole fours of tokens are stored, the last ones first: what goes over the end of a line is written again.
    private static void WriteColumns(RowLaneCode code, Vector512<byte> places, short* rounded, int stride, int tokens, byte* target)
    {
        var offset = Vector128.Create(-code.Offset);
        var several = code.Group < Columns;
        var offsets = (int*)(target + OffsetsAt(tokens));
        var sums = (float*)(target + SumsAt(tokens, code));
        for (var t = (tokens - 1) & ~3; t >= 0; t -= 4)
        {
            var first = Vector512.Load(rounded + (long)t * stride);
            var second = t + 1 < tokens ? Vector512.Load(rounded + (t + 1L) * stride) : default;
            var third = t + 2 < tokens ? Vector512.Load(rounded + (t + 2L) * stride) : default;
            var fourth = t + 3 < tokens ? Vector512.Load(rounded + (t + 3L) * stride) : default;
            StoreTurned((int*)target + t, tokens, Planes(first, places), Planes(second, places), Planes(third, places), Planes(fourth, places));
            var (lower, upper) = Sums(first, second, third, fourth);
            var all = several ? lower : lower + upper;
            (all * offset).Store(offsets + t);
            if (several)
                (upper * offset).Store(offsets + tokens + t);
            if (!code.HasMins)
                continue;
            Vector128.ConvertToSingle(all).Store(sums + t);
            if (several)
                Vector128.ConvertToSingle(upper).Store(sums + tokens + t);
        }
    }

    // The upper bytes of 32 numbers, then the lower ones; lower bytes are signed, so the upper ones are rounded.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Planes(Vector512<short> values, Vector512<byte> places)
    {
        var flip = Vector512.Create(Vector256<byte>.Zero, Vector256.Create((byte)0x80));
        return (Avx512Vbmi.PermuteVar64x8((values + Vector512.Create((short)0x80)).AsByte(), places) ^ flip).AsInt32();
    }

    // Which bytes of 32 numbers make the upper and the lower plane.
    private static Vector512<byte> Places(int stride)
    {
        Span<byte> places = stackalloc byte[2 * Columns];
        for (var i = 0; i < Columns; i++)
        {
            var four = i / 4;
            var column = four / stride * stride * 4 + four % stride + i % 4 * stride;
            (places[i], places[Columns + i]) = ((byte)(2 * column + 1), (byte)(2 * column));
        }
        return Vector512.Create<byte>(places);
    }

    // Double word k of four vectors, side by side, at k times a line.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTurned(int* target, int line, Vector512<int> a, Vector512<int> b, Vector512<int> c, Vector512<int> d)
    {
        var (lowAB, highAB, lowCD, highCD) = (Avx512F.UnpackLow(a, b).AsInt64(), Avx512F.UnpackHigh(a, b).AsInt64(), Avx512F.UnpackLow(c, d).AsInt64(), Avx512F.UnpackHigh(c, d).AsInt64());
        var (first, second) = (Avx512F.UnpackLow(lowAB, lowCD).AsInt32(), Avx512F.UnpackHigh(lowAB, lowCD).AsInt32());
        var (third, fourth) = (Avx512F.UnpackLow(highAB, highCD).AsInt32(), Avx512F.UnpackHigh(highAB, highCD).AsInt32());
        StoreLines(target, line, first.GetLower().GetLower(), second.GetLower().GetLower(), third.GetLower().GetLower(), fourth.GetLower().GetLower());
        StoreLines(target + 4 * line, line, first.GetLower().GetUpper(), second.GetLower().GetUpper(), third.GetLower().GetUpper(), fourth.GetLower().GetUpper());
        StoreLines(target + 8 * line, line, first.GetUpper().GetLower(), second.GetUpper().GetLower(), third.GetUpper().GetLower(), fourth.GetUpper().GetLower());
        StoreLines(target + 12 * line, line, first.GetUpper().GetUpper(), second.GetUpper().GetUpper(), third.GetUpper().GetUpper(), fourth.GetUpper().GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLines(int* target, int line, Vector128<int> first, Vector128<int> second, Vector128<int> third, Vector128<int> fourth)
    {
        first.Store(target);
        second.Store(target + line);
        third.Store(target + 2 * line);
        fourth.Store(target + 3 * line);
    }

    // Of four tokens, the sums of the first 16 columns and of the others.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<int> First, Vector128<int> Second) Sums(Vector512<short> a, Vector512<short> b, Vector512<short> c, Vector512<short> d)
    {
        var one = Vector512<short>.One;
        var (ab, cd) = (SumPairs(Avx512BW.MultiplyAddAdjacent(a, one), Avx512BW.MultiplyAddAdjacent(b, one)), SumPairs(Avx512BW.MultiplyAddAdjacent(c, one), Avx512BW.MultiplyAddAdjacent(d, one)));
        var sums = (Avx512F.UnpackLow(ab, cd) + Avx512F.UnpackHigh(ab, cd)).AsInt32();
        var (lower, upper) = (sums.GetLower(), sums.GetUpper());
        return (lower.GetLower() + lower.GetUpper(), upper.GetLower() + upper.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<long> SumPairs(Vector512<int> a, Vector512<int> b) => (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsInt64();
}
