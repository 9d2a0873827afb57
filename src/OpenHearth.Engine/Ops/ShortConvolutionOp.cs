using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Ops;

/// <summary>y[t] = b + Σ w[j] · x[t - taps + 1 + j], channel by channel; the tokens before are carried as state.</summary>
internal sealed class ShortConvolutionOp(Node x, float[] weight, float[] bias, StateSlot slot) : Node(x.Width, RowAxis.Tokens, x)
{
    /// <summary>[taps, width], the oldest token first</summary>
    public float[] Weight => weight;

    /// <summary>[width], or empty for 0</summary>
    public float[] Bias => bias;

    /// <summary>[taps - 1, width]</summary>
    public StateSlot Slot => slot;

    public override void Forward(StepContext step)
    {
        foreach (ref readonly var run in step.Runs)
        {
            var x = step.Values(Inputs[0]).Slice(run.FirstRow * Width, run.Count * Width);
            var y = step.Values(this).Slice(run.FirstRow * Width, run.Count * Width);
            ShortConvolution.Forward(step.Pool, x, weight, bias, run.Sequence.State(slot), y, run.Count, Width);
        }
    }
}

internal static partial class GraphOps
{
    /// <summary>A causal convolution of every channel with its own few weights.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="name">Canonical name without <c>.weight</c> and <c>.bias</c>; the weights are [width, taps], the newest token last</param>
    /// <param name="taps">Tokens that it sees.</param>
    public static Node ShortConvolution(this GraphBuilder graph, Node x, string name, int taps)
    {
        var weight = graph.Weights.Vector($"{name}.weight", checked(taps * x.Width));
        var byTap = new float[weight.Length];
        for (var i = 0; i < weight.Length; i++)
            byTap[(i % taps * x.Width) + (i / taps)] = weight[i];
        var bias = graph.Weights.Has($"{name}.bias") ? graph.Weights.Vector($"{name}.bias", x.Width) : [];
        return graph.Add(new ShortConvolutionOp(x, byTap, bias, graph.AddState((taps - 1L) * x.Width)));
    }

    /// <summary>x · mix + (the token before) · (1 - mix): the token shift of RWKV.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="name">Canonical name of mix, [width].</param>
    public static Node TokenShift(this GraphBuilder graph, Node x, string name) => graph.TokenShift(x, graph.Weights.Vector(name, x.Width));

    /// <summary>x · mix + (the token before) · (1 - mix).</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="mix">[width]</param>
    public static Node TokenShift(this GraphBuilder graph, Node x, float[] mix) =>
        graph.Add(new ShortConvolutionOp(x, [.. mix.Select(share => 1 - share), .. mix], [], graph.AddState(x.Width)));
}
