using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// The layer that stands in Mamba 2 for attention: a short convolution, then a state space of one decay a head,
/// then a norm of the gated result. Source: Dao and Gu, "Transformers are SSMs", 2024, section 7.
/// </summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="HeadWidth">Values a head.</param>
/// <param name="Groups">Heads of B and C, shared by neighbours.</param>
/// <param name="StateWidth">Values that a head remembers for each of its own.</param>
/// <param name="Taps">Tokens that the convolution sees.</param>
/// <param name="Epsilon">Of the norm.</param>
internal sealed record Mamba2Mixer(int Heads, int HeadWidth, int Groups, int StateWidth, int Taps, float Epsilon)
{
    /// <summary>The width of a head, which GGUF files give as that of all heads.</summary>
    /// <param name="p">What the model says of itself.</param>
    /// <param name="heads">How many there are.</param>
    /// <param name="huggingFace">Key of <c>config.json</c>.</param>
    public static int ReadHeadWidth(HyperParameters p, int heads, string huggingFace)
    {
        if (!p.IsGguf)
        {
            var width = p.Int("", huggingFace);
            p.Note("ssm.inner_size", checked((uint)(width * heads)));
            return width;
        }
        var inner = p.Int("ssm.inner_size", "");
        if (inner % heads != 0)
            throw p.Wrong("ssm.inner_size", "", $"{inner} for {heads} heads");
        p.Note("", huggingFace, (uint)(inner / heads));
        return inner / heads;
    }

    /// <summary>The names of its tensors in the Hugging Face form.</summary>
    /// <param name="names">To which they are added.</param>
    /// <param name="module">As in <c>layers.*.mixer</c>.</param>
    /// <param name="groups">Of heads, as far as known: from two on, GGUF files have norms group by group.</param>
    public static TensorNames Names(TensorNames names, string module, double? groups) => names
        .Add("blk.*.ssm_in", $"{module}.in_proj")
        .Add("blk.*.ssm_conv1d", $"{module}.conv1d", tensor => tensor.Flatten(), tensor => tensor.Unflatten())
        .Add("blk.*.ssm_dt.bias", $"{module}.dt_bias")
        .Add("blk.*.ssm_a", $"{module}.A_log", logarithms => logarithms.ToDecay().Column(), decays => decays.ToLogarithm().Line())
        .Add("blk.*.ssm_d", $"{module}.D", tensor => tensor.Column(), tensor => tensor.Line())
        .Add("blk.*.ssm_norm", $"{module}.norm", groups > 1 ? norm => GroupByGroup(norm, groups.Value) : null, tensor => tensor.Line())
        .Add("blk.*.ssm_out", $"{module}.out_proj");

    // What can't be cut is refused where the norm is declared.
    private static StoredTensor GroupByGroup(StoredTensor norm, double groups) =>
        norm.Shape is [var width] && width % groups == 0 ? norm with { Shape = [(long)groups, width / (long)groups] } : norm;

    /// <summary>Writes the layer.</summary>
    /// <param name="g">The graph.</param>
    /// <param name="h">[tokens, width]</param>
    /// <param name="block">Canonical name of the layer.</param>
    public Node Forward(GraphBuilder g, Node h, string block)
    {
        var inner = Heads * HeadWidth;
        var shared = Groups * StateWidth;
        var mixed = inner + (2 * shared);
        var total = inner + mixed + Heads;
        var gate = g.Linear(h, $"{block}.ssm_in", inner, 0, total);
        var dt = g.Linear(h, $"{block}.ssm_in", Heads, inner + mixed, total);
        var xbc = g.Linear(h, $"{block}.ssm_in", mixed, inner, total);
        xbc = g.Activate(g.ShortConvolution(xbc, $"{block}.ssm_conv1d", Taps), ActivationKind.Silu);
        var x = g.Columns(xbc, mixed, 0, inner);
        var b = g.Columns(xbc, mixed, inner, shared);
        var c = g.Columns(xbc, mixed, inner + shared, shared);
        var shape = new LinearAttentionShape { Heads = Heads, KeyHeads = Groups, KeyWidth = StateWidth, ValueWidth = HeadWidth };
        var decay = g.Decay(dt, $"{block}.ssm_dt.bias", $"{block}.ssm_a", Heads);
        var y = g.LinearAttention(c, b, x, decay, g.Softplus(dt, $"{block}.ssm_dt.bias"), shape, g.Weights.Vector($"{block}.ssm_d", Heads));
        y = g.GroupedRmsNorm(g.Gate(gate, y, ActivationKind.Silu), $"{block}.ssm_norm", Epsilon, Groups);
        return g.Linear(y, $"{block}.ssm_out", h.Width);
    }
}
