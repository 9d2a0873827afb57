using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>StarCoder 2: Llama's shape with layer norms, biases and a plain feed-forward block. Source: Lozhkov et al., StarCoder 2 and The Stack v2, 2024.</summary>
internal sealed class StarCoder2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("blk.*.ffn_up", "layers.*.mlp.c_fc")
        .Replace("blk.*.ffn_down", "layers.*.mlp.c_proj");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "norm_epsilon");
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.GeluTanh);
        var shape = d.Attention with { Window = d.Window };
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", d.Width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.FeedForward(h, block, d.Hidden, activation));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
