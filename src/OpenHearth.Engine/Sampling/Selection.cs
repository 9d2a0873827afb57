using System.Numerics;

namespace OpenHearth.Engine.Sampling;

/// <summary>
/// Finds the n best of many scores without sorting them all: one pass keeps those that reach the n-th best so far, and
/// the few kept are sorted. Not thread-safe; its buffers are reused.
/// </summary>
internal sealed class Selection
{
    // A key is the score turned into bits that order downwards, then the position: all keys differ, the smallest is the best.
    private ulong[] _keys = [];
    private int[] _positions = [];

    /// <summary>
    /// Positions of the <paramref name="count"/> highest of <paramref name="scores"/>, best first, the lower position
    /// first on a tie. No score is NaN. Valid until the next call.
    /// </summary>
    public ReadOnlySpan<int> Best(ReadOnlySpan<float> scores, int count)
    {
        count = Math.Min(count, scores.Length);
        // Twice what is asked for, so that one sort pays for many keys.
        var capacity = Math.Min(scores.Length, Math.Max(2 * count, 256));
        if (_keys.Length < capacity)
            _keys = new ulong[capacity];
        if (_positions.Length < count)
            _positions = new int[count];
        var kept = Collect(scores, count, _keys.AsSpan(0, capacity));
        _keys.AsSpan(0, kept).Sort();
        for (var i = 0; i < count; i++)
            _positions[i] = (int)(uint)_keys[i];
        return _positions.AsSpan(0, count);
    }

    private static int Collect(ReadOnlySpan<float> scores, int count, Span<ulong> keys)
    {
        var kept = 0;
        var threshold = float.NegativeInfinity;
        var width = Vector<float>.Count;
        for (var i = 0; i < scores.Length;)
        {
            if (i + width <= scores.Length && !Vector.GreaterThanOrEqualAny(new Vector<float>(scores[i..]), new Vector<float>(threshold)))
            {
                i += width;
                continue;
            }
            for (var end = Math.Min(i + width, scores.Length); i < end; i++)
            {
                if (scores[i] < threshold)
                    continue;
                if (kept == keys.Length)
                {
                    keys.Sort();
                    kept = count;
                    threshold = scores[(int)(uint)keys[count - 1]];
                    // Positions only grow, so an equal score met later loses against those kept.
                    if (scores[i] <= threshold)
                        continue;
                }
                keys[kept++] = Key(scores[i], i);
            }
        }
        return kept;
    }

    private static ulong Key(float score, int position)
    {
        // + 0 makes −0 equal to 0.
        var bits = BitConverter.SingleToInt32Bits(score + 0f);
        var descending = ~((uint)(bits ^ (bits >> 31 & 0x7FFFFFFF)) ^ 0x80000000u);
        return (ulong)descending << 32 | (uint)position;
    }
}
