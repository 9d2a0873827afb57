using System.Numerics;

namespace OpenHearth.Engine.Sampling;

/// <summary>
/// The tokens that may still be chosen, with their logits: a structure of arrays that filters narrow in place.
/// All logits are finite when it is loaded. Not thread-safe.
/// </summary>
internal sealed class Candidates(int vocabularySize)
{
    // How many of the most probable tokens are tried first when a filter needs the shortest prefix with some mass.
    private const int FirstPrefix = 256;

    private readonly int[] _ids = new int[vocabularySize];
    private readonly float[] _logits = new float[vocabularySize];
    private readonly Selection _selection = new();
    private double[] _weights = [];
    private float[] _scores = [];
    private int[] _scratchIds = [];
    private float[] _scratchLogits = [];
    private bool _sorted;

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public Span<float> Logits => _logits.AsSpan(0, Count);

    /// <summary>The highest logit.</summary>
    public float Highest { get; private set; }

    /// <summary>Takes every logit above −∞ of a row over the vocabulary.</summary>
    /// <exception cref="NotFiniteNumberException">A logit is NaN or +∞, or all are −∞.</exception>
    public void Load(ReadOnlySpan<float> logits)
    {
        Highest = Argmax.Highest(logits);
        logits.CopyTo(_logits);
        var width = Vector<int>.Count;
        var id = 0;
        for (; id + width <= _ids.Length; id += width)
            Vector.CreateSequence(id, 1).CopyTo(_ids, id);
        for (; id < _ids.Length; id++)
            _ids[id] = id;
        (Count, _sorted) = (logits.Length, false);
        KeepAtLeast(float.MinValue);
    }

    /// <summary>e^(logit − highest) of every candidate, and their sum; valid until the next call.</summary>
    public ReadOnlySpan<double> Weights(out double total)
    {
        if (_weights.Length < Count)
            _weights = new double[Count];
        total = PortableMath.Exp(Logits, Highest, _weights);
        return _weights.AsSpan(0, Count);
    }

    /// <summary>One score a candidate, for <see cref="KeepMass"/>.</summary>
    public Span<float> Scores()
    {
        if (_scores.Length < Count)
            _scores = new float[Count];
        return _scores.AsSpan(0, Count);
    }

    /// <summary>Removes the logits below a threshold, keeping the order.</summary>
    public void KeepAtLeast(double threshold)
    {
        // The smallest float that reaches the threshold compares as the double would.
        var lowest = (float)threshold;
        if (lowest < threshold)
            lowest = MathF.BitIncrement(lowest);
        var width = Vector<float>.Count;
        var kept = 0;
        for (var i = 0; i < Count;)
        {
            // Most rows of lanes stay whole or go whole.
            if (i + width <= Count)
            {
                var lanes = Vector.GreaterThanOrEqual(new Vector<float>(_logits, i), new Vector<float>(lowest));
                if (lanes == Vector<int>.Zero || (kept == i && lanes == Vector<int>.AllBitsSet))
                {
                    kept += lanes == Vector<int>.Zero ? 0 : width;
                    i += width;
                    continue;
                }
            }
            for (var end = Math.Min(i + width, Count); i < end; i++)
            {
                var logit = _logits[i];
                _ids[kept] = _ids[i];
                _logits[kept] = logit;
                kept += logit >= lowest ? 1 : 0;
            }
        }
        Count = kept;
    }

    /// <summary>Keeps the <paramref name="count"/> highest logits, highest first, the lower id first on a tie.</summary>
    public void KeepHighest(int count)
    {
        if (_sorted)
            Count = Math.Min(Count, count);
        else
            KeepInOrder(_selection.Best(Logits, count));
    }

    /// <summary>Keeps the shortest prefix by descending logit whose probabilities sum to at least <paramref name="mass"/>.</summary>
    public void KeepMassByLogit(double mass)
    {
        var weights = Weights(out var total);
        if (!_sorted)
        {
            KeepInOrder(BestMass(Logits, weights, mass * total));
            return;
        }
        var sum = 0.0;
        var kept = 0;
        while (kept < Count && sum < mass * total)
            sum += weights[kept++];
        Count = kept;
    }

    /// <summary>
    /// Keeps the shortest prefix by descending score whose weights sum to at least <paramref name="mass"/>; what is
    /// kept stays in the order it had.
    /// </summary>
    public void KeepMass(ReadOnlySpan<float> scores, ReadOnlySpan<double> weights, double mass)
    {
        var best = BestMass(scores, weights, mass);
        EnsureScratch(best.Length);
        var positions = _scratchIds.AsSpan(0, best.Length);
        best.CopyTo(positions);
        positions.Sort();
        for (var i = 0; i < positions.Length; i++)
        {
            _ids[i] = _ids[positions[i]];
            _logits[i] = _logits[positions[i]];
        }
        Count = positions.Length;
        Highest = Max(Logits);
    }

    /// <summary>Removes candidates whose weight reaches <paramref name="weight"/>, except the one at position <paramref name="spared"/>.</summary>
    public void RemoveAtLeast(double weight, ReadOnlySpan<double> weights, int spared)
    {
        var kept = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] >= weight && i != spared)
                continue;
            (_ids[kept], _logits[kept]) = (_ids[i], _logits[i]);
            kept++;
        }
        Count = kept;
        Highest = Max(Logits);
    }

    /// <summary>Replaces every logit x by (x − highest) / <paramref name="divisor"/>, so that no temperature overflows.</summary>
    public void Rescale(float divisor)
    {
        foreach (ref var logit in Logits)
            logit = (logit - Highest) / divisor;
        Highest = 0;
    }

    /// <summary>Draws a candidate by its probability, which is given too.</summary>
    public int Draw(Xoshiro256 random, out double probability)
    {
        var weights = Weights(out var total);
        var left = random.NextDouble() * total;
        var drawn = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            // Rounding may leave a little at the end: then the last token that has a chance is taken.
            if (weights[i] == 0)
                continue;
            drawn = i;
            left -= weights[i];
            if (left < 0)
                break;
        }
        probability = weights[drawn] / total;
        return _ids[drawn];
    }

    private ReadOnlySpan<int> BestMass(ReadOnlySpan<float> scores, ReadOnlySpan<double> weights, double mass)
    {
        for (var tried = FirstPrefix; ; tried *= 8)
        {
            // A selection of a large part costs as much as the whole order.
            var best = _selection.Best(scores, tried < scores.Length / 8 ? tried : scores.Length);
            var sum = 0.0;
            for (var i = 0; i < best.Length; i++)
            {
                sum += weights[best[i]];
                if (sum >= mass)
                    return best[..(i + 1)];
            }
            if (best.Length == scores.Length)
                return best;
        }
    }

    private void KeepInOrder(ReadOnlySpan<int> positions)
    {
        EnsureScratch(positions.Length);
        for (var i = 0; i < positions.Length; i++)
        {
            _scratchIds[i] = _ids[positions[i]];
            _scratchLogits[i] = _logits[positions[i]];
        }
        _scratchIds.AsSpan(0, positions.Length).CopyTo(_ids);
        _scratchLogits.AsSpan(0, positions.Length).CopyTo(_logits);
        (Count, _sorted) = (positions.Length, true);
    }

    private void EnsureScratch(int count)
    {
        if (_scratchIds.Length >= count)
            return;
        _scratchIds = new int[count];
        _scratchLogits = new float[count];
    }

    private static float Max(ReadOnlySpan<float> logits)
    {
        var highest = logits[0];
        foreach (var logit in logits)
            highest = MathF.Max(highest, logit);
        return highest;
    }
}
