using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Granite 3: Llama with four multipliers: of embeddings, of what blocks add, of attention scores and of logits.
/// Source: Granite 3.0 Language Models, 2024.
/// </summary>
internal sealed class Granite : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var shape = d.Attention with { Scale = p.Float("attention.scale", "attention_multiplier", d.Attention.Scale) };
        var residual = p.Float("residual_scale", "residual_multiplier", 1);
        var divisor = p.Float("logit_scale", "logits_scaling", 1);
        if (divisor == 0)
            throw p.Wrong("logit_scale", "logits_scaling", divisor);
        // GGUF files hold query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Scale(g.Embedding("token_embd", d.Width), p.Float("embedding_scale", "embedding_multiplier", 1));
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Scale(g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", d.Width), residual));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.Scale(g.GatedFeedForward(h, block, d.Hidden), residual));
        }
        return g.Build(g.Scale(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)), 1 / divisor));
    }
}
