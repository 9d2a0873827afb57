using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// OLMo 1: Llama with layer norms that have no weights, and queries, keys and values clamped. Source: Groeneveld et al., OLMo:
/// Accelerating the Science of Language Models, 2024.
/// </summary>
internal sealed class Olmo : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "", 1e-5f);
        var limit = p.Float("attention.clamp_kqv", "clip_qkv", 0);
        // GGUF files hold query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, null, epsilon);
            var q = g.Rope(g.Clamp(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), limit), angles, d.HeadWidth, pairing);
            var k = g.Rope(g.Clamp(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), limit), angles, d.HeadWidth, pairing);
            var v = g.Clamp(g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth), limit);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            x = g.Sum(x, g.GatedFeedForward(g.LayerNorm(x, null, epsilon), block, d.Hidden));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), null, epsilon)));
    }
}
