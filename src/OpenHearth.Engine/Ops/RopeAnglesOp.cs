using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>How positions become angles.</summary>
/// <param name="Inverse">[dimensions / 2] radians that each pair turns a token, scaling included</param>
/// <param name="Magnitude">Factor of all cosines and sines: YaRN's attention factor, otherwise 1.</param>
internal sealed record RopeFrequencies(float[] Inverse, float Magnitude = 1f)
{
    /// <summary>Values of a head that are rotated.</summary>
    public int Dimensions => 2 * Inverse.Length;
}

/// <summary>
/// Frequencies of a base that grows with the sequence once it is longer than <paramref name="OriginalLength"/>, so that the slowest
/// pair turns no further than it did in training: theta · (factor · length / original − (factor − 1))^(d / (d − 2)).
/// As in transformers (<c>_compute_dynamic_ntk_parameters</c>), keys keep the angles of the length at which they came.
/// </summary>
/// <param name="Theta">The base.</param>
/// <param name="Factor">How fast it grows.</param>
/// <param name="OriginalLength">Tokens up to which it doesn't.</param>
internal sealed record DynamicRope(double Theta, double Factor, int OriginalLength)
{
    /// <summary>The base for a sequence of so many tokens.</summary>
    public double BaseFor(int length, int dimensions) => length <= OriginalLength || dimensions <= 2
        ? Theta
        : Theta * Math.Pow((Factor * length / OriginalLength) - (Factor - 1), dimensions / (dimensions - 2.0));
}

/// <summary>y[t] = the cosines, then the sines, of the angles at the token's position. All layers share one.</summary>
internal sealed class RopeAnglesOp(RopeFrequencies frequencies) : Node(frequencies.Dimensions, RowAxis.Tokens)
{
    /// <summary>The frequencies.</summary>
    public RopeFrequencies Frequencies => frequencies;

    /// <summary>What takes their place, for all tokens of a sequence, once it is longer than <see cref="OriginalLength"/>; null for the same.</summary>
    public RopeFrequencies? Long { get; init; }

    /// <summary>Tokens up to which <see cref="Frequencies"/> hold, where there are others.</summary>
    public int OriginalLength { get; init; }

    /// <summary>What makes the frequencies of sequences that are longer than it says; null for none.</summary>
    public DynamicRope? Dynamic { get; init; }

    public override void Forward(StepContext step)
    {
        foreach (ref readonly var run in step.Runs)
        {
            var rows = step.Values(this).Slice(run.FirstRow * Width, run.Count * Width);
            if (Dynamic is not null && run.Sequence.Announced > Dynamic.OriginalLength)
                TurnBy(Dynamic.BaseFor(run.Sequence.Announced, Width), step.Positions.Slice(run.FirstRow, run.Count), rows);
            else
                Turn(Long is not null && run.Sequence.BeyondOriginalLength ? Long : frequencies, step.Positions.Slice(run.FirstRow, run.Count), rows);
        }
    }

    private void TurnBy(double theta, ReadOnlySpan<int> positions, Span<float> y)
    {
        var pairs = Width / 2;
        for (var i = 0; i < pairs; i++)
        {
            var frequency = (float)(1 / Math.Pow(theta, 2.0 * i / Width));
            for (var t = 0; t < positions.Length; t++)
            {
                var (sine, cosine) = Math.SinCos(positions[t] * (double)frequency);
                y[(t * Width) + i] = (float)cosine;
                y[(t * Width) + pairs + i] = (float)sine;
            }
        }
    }

    private void Turn(RopeFrequencies frequencies, ReadOnlySpan<int> positions, Span<float> y)
    {
        var pairs = frequencies.Inverse.Length;
        for (var t = 0; t < positions.Length; t++)
        {
            var row = y.Slice(t * Width, Width);
            for (var i = 0; i < pairs; i++)
            {
                // In F64: at 100,000 tokens an F32 angle is already off by 0.004 radians.
                var (sine, cosine) = Math.SinCos(positions[t] * (double)frequencies.Inverse[i]);
                row[i] = (float)cosine * frequencies.Magnitude;
                row[pairs + i] = (float)sine * frequencies.Magnitude;
            }
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>The angles of every token, for <see cref="Rope"/>; made once and shared by all layers that use these frequencies.</summary>
    public static Node RopeAngles(this GraphBuilder graph, RopeFrequencies frequencies) => graph.Add(new RopeAnglesOp(frequencies));

    /// <summary>The angles of every token, by a base that grows with the sequence.</summary>
    public static Node DynamicRopeAngles(this GraphBuilder graph, RopeFrequencies frequencies, DynamicRope dynamic) =>
        graph.Add(new RopeAnglesOp(frequencies) { Dynamic = dynamic });

    /// <summary>The angles of every token, with other frequencies for sequences that are longer than <paramref name="originalLength"/> tokens.</summary>
    public static Node LongRopeAngles(this GraphBuilder graph, RopeFrequencies frequencies, RopeFrequencies beyond, int originalLength) =>
        graph.Add(new RopeAnglesOp(frequencies) { Long = beyond, OriginalLength = originalLength });
}
