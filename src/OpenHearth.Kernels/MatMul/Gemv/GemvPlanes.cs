using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Activations as generated products of few tokens read them: for each step, each token: for each vector of codes 64 upper
/// and 64 lower signed bytes; then for vectors multiplied together what their offset adds to each lane, negated, as integers;
/// or one vector of sums. Needs AVX-512.
/// </summary>
internal static unsafe class GemvPlanes
{
    private const int MostSixteens = 32; // in a step
    private const int PlacesColumns = 128; // of GemvCode.Places

    /// <summary>Bytes of one token in a step.</summary>
    public static int TokenBytes(GemvCode code) => SumsAt(code) + (code.Sums.IsEmpty ? 0 : 64);

    /// <summary>Where in them the offsets of some vectors are.</summary>
    public static int OffsetsAt(GemvCode code, int firstVector) => code.Vectors * 128 + firstVector / code.Together * 64;

    /// <summary>Where in them the sums are.</summary>
    public static int SumsAt(GemvCode code) => code.Vectors * 128 + (code.Offset == 0 ? 0 : code.Vectors / code.Together * 64);

    /// <summary>Steps of a row, an incomplete one included.</summary>
    public static int Steps(GemvCode code, int columns) => (columns + code.StepColumns - 1) / code.StepColumns;

    /// <summary>Bytes of all tokens.</summary>
    public static long Bytes(GemvCode code, int columns, int tokens) => (long)Steps(code, columns) * tokens * TokenBytes(code);

    /// <summary>Columns that the rounded activations must have, zeros at the end.</summary>
    public static int PaddedColumns(int columns) => (columns + 511) / 512 * 512;

    /// <summary>Lays out one token.</summary>
    /// <param name="code">The format.</param>
    /// <param name="columns">Values in a row.</param>
    /// <param name="rounded">[<see cref="PaddedColumns"/>]</param>
    /// <param name="target">The token's place in the first step.</param>
    /// <param name="stepBytes">From one step to the next.</param>
    public static void Write(GemvCode code, int columns, short* rounded, byte* target, int stepBytes)
    {
        if (!code.Places.IsEmpty)
        {
            WritePlaced(code, columns, rounded, target, stepBytes);
            return;
        }
        var quarters = 4 * code.Vectors;
        var counts = stackalloc Vector128<byte>[quarters];
        var eights = stackalloc int[2 * quarters]; // where their columns are
        for (var quarter = 0; quarter < quarters; quarter++)
        {
            for (var i = 0; i < 16; i++)
                ((byte*)(counts + quarter))[i] = (byte)-(code.Bytes(quarter) >> i & 1);
            for (var k = 2 * quarter; k < 2 * quarter + 2; k++)
                eights[k] = code.OrderColumns == 8 ? 8 * code.Order[k] : 16 * code.Order[quarter] + k % 2 * 8;
        }
        var lanes = code.Sums;
        var (hasOffset, offset) = (code.Offset != 0, Vector128.Create(-code.Offset));
        var offsets = stackalloc int[quarters]; // where those of a quarter go
        for (var quarter = 0; hasOffset && quarter < quarters; quarter++)
            offsets[quarter] = OffsetsAt(code, quarter / 4) + quarter % 4 * 16;
        var together = code.Together;
        var (twice, factor) = (code.SumLength == 2, code.SumFactor);
        var sums = stackalloc int[MostSixteens];
        for (var i = 0; i < columns; i += code.StepColumns, rounded += code.StepColumns, target += stepBytes)
        {
            for (var quarter = 0; quarter < quarters; quarter++)
            {
                var values = Vector256.Create(Vector128.Load(rounded + eights[2 * quarter]), Vector128.Load(rounded + eights[2 * quarter + 1]));
                var upper = values + Vector256.Create((short)128) >> 8;
                var place = target + quarter / 4 * 128 + quarter % 4 * 16;
                (Bytes(upper) & counts[quarter]).Store(place);
                (Bytes(values) & counts[quarter]).Store(place + 64);
                if (!hasOffset)
                    continue;
                var pairs = Avx2.MultiplyAddAdjacent(values & Avx2.ConvertToVector256Int16(counts[quarter].AsSByte()), Vector256<short>.One);
                var added = Ssse3.HorizontalAdd(pairs.GetLower(), pairs.GetUpper()) * offset;
                var lane = target + offsets[quarter];
                (quarter / 4 % together == 0 ? added : added + Vector128.Load((int*)lane)).Store((int*)lane);
            }
            if (lanes.IsEmpty)
                continue;
            for (var k = 0; k < code.StepColumns / 16; k++)
                sums[k] = Vector256.Sum(Avx2.MultiplyAddAdjacent(Vector256.Load(rounded + 16 * k), Vector256<short>.One));
            var sumOfLane = (float*)(target + SumsAt(code));
            for (var lane = 0; lane < 16; lane++)
            {
                var first = lanes[lane];
                sumOfLane[lane] = first < 0 ? 0 : factor * (twice ? sums[first] + sums[first + 1] : sums[first]);
            }
        }
    }

    // The same for columns that change places.
    private static void WritePlaced(GemvCode code, int columns, short* rounded, byte* target, int stepBytes)
    {
        var order = code.Order;
        var (together, offset) = (code.Together, Vector512.Create(-code.Offset));
        var upper = stackalloc byte[16 * MostSixteens];
        var lower = stackalloc byte[16 * MostSixteens];
        for (var i = 0; i < columns; i += code.StepColumns, target += stepBytes)
        {
            for (var k = 0; k < code.StepColumns; k += PlacesColumns, rounded += PlacesColumns)
                Place(code.Places, rounded, upper + k, lower + k);
            for (var quarter = 0; quarter < order.Length; quarter++)
            {
                var (from, to) = (16 * order[quarter], quarter / 4 * 128 + quarter % 4 * 16);
                Vector128.Load(upper + from).Store(target + to);
                Vector128.Load(lower + from).Store(target + to + 64);
            }
            for (var first = 0; first < code.Vectors; first += together)
            {
                var sums = Vector512<int>.Zero;
                for (var vector = first; vector < first + together; vector++)
                    sums += (Sums(target + vector * 128) << 8) + Sums(target + vector * 128 + 64);
                (sums * offset).Store((int*)(target + OffsetsAt(code, first)));
            }
        }
    }

    // Both bytes of 128 numbers, in other places.
    private static void Place(ReadOnlySpan<byte> places, short* values, byte* upper, byte* lower)
    {
        var half = Vector512.Create((short)128);
        Vector512<short> a = Vector512.Load(values), b = Vector512.Load(values + 32), c = Vector512.Load(values + 64), d = Vector512.Load(values + 96);
        Vector512<byte> low = Narrow(a, b), lowRest = Narrow(c, d), high = Narrow(a + half >> 8, b + half >> 8), highRest = Narrow(c + half >> 8, d + half >> 8);
        for (var i = 0; i < PlacesColumns; i += 64)
        {
            var from = Vector512.Create(places.Slice(i, 64));
            Avx512Vbmi.PermuteVar64x8x2(high, from, highRest).Store(upper + i);
            Avx512Vbmi.PermuteVar64x8x2(low, from, lowRest).Store(lower + i);
        }
    }

    private static Vector512<byte> Narrow(Vector512<short> a, Vector512<short> b) =>
        Vector512.Create(Avx512BW.ConvertToVector256Byte(a.AsUInt16()), Avx512BW.ConvertToVector256Byte(b.AsUInt16()));

    // Sums of fours of signed bytes.
    private static Vector512<int> Sums(byte* bytes) =>
        Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(Vector512<byte>.One, Vector512.Load((sbyte*)bytes)), Vector512<short>.One);

    // The low bytes of 16 words.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Bytes(Vector256<short> words) =>
        Avx512BW.VL.ConvertToVector128Byte(words.AsUInt16());
}
