using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Gemma 2: Gemma with norms before and after each block, caps on scores and logits, and a window on every other layer.
/// Gemma 3 has norms on queries and keys instead of caps, and windows with a rotary base of their own on five layers of six.
/// Source: Gemma 2: Improving Open Language Models at a Practical Size, 2024; Gemma 3 Technical Report, 2025.
/// </summary>
internal sealed class Gemma2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("output_norm", "norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.attn_norm", "layers.*.input_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.attn_q_norm", "layers.*.self_attn.q_norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.attn_k_norm", "layers.*.self_attn.k_norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.ffn_norm", "layers.*.pre_feedforward_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Add("blk.*.post_ffw_norm", "layers.*.post_feedforward_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne());

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var third = g.Weights.Has("blk.0.attn_q_norm.weight");
        var full = d.Attention with { Scale = Scale(p, d, third ? 62 : 46), SoftCap = p.Float("attn_logit_softcapping", "attn_logit_softcapping", 0) };
        var windowed = full with { Window = d.Window };
        var hasWindow = d.WindowedLayers(third ? 6 : 2);
        var fullAngles = g.RopeAngles(RopeScaling.Frequencies(p.Rope("full_attention") ?? RopeScaling.Default(1e6), p, d.RotaryWidth));
        var windowAngles = third ? g.RopeAngles(d.WindowRope(10000)) : fullAngles;

        var x = g.Scale(g.Embedding("token_embd", d.Width), MathF.Sqrt(d.Width));
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var angles = hasWindow[layer] ? windowAngles : fullAngles;
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth);
            var k = g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            if (third)
            {
                q = g.RmsNorm(q, $"{block}.attn_q_norm", d.Epsilon, d.HeadWidth);
                k = g.RmsNorm(k, $"{block}.attn_k_norm", d.Epsilon, d.HeadWidth);
            }
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            h = g.Linear(g.Attention(q, k, v, hasWindow[layer] ? windowed : full), $"{block}.attn_output", d.Width);
            x = g.Sum(x, g.RmsNorm(h, $"{block}.post_attention_norm", d.Epsilon));
            h = g.GatedFeedForward(g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon), block, d.Hidden, ActivationKind.GeluTanh);
            x = g.Sum(x, g.RmsNorm(h, $"{block}.post_ffw_norm", d.Epsilon));
        }
        var logits = g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon));
        return g.Build(g.SoftCap(logits, p.Float("final_logit_softcapping", "final_logit_softcapping", 0)));
    }

    // GGUF files have no key for it: it is the head's width, but in the 27B models, known by their depth, width over heads.
    private static float Scale(HyperParameters p, DecoderParameters d, int layersOf27B)
    {
        var scaled = p.IsGguf && d.Layers == layersOf27B ? (float)d.Width / d.Heads : p.Float("", "query_pre_attn_scalar", d.HeadWidth);
        return scaled > 0 ? 1 / MathF.Sqrt(scaled) : throw p.Wrong("", "query_pre_attn_scalar", scaled);
    }
}
