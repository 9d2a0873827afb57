using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Gemma 1: Llama with GELU, embeddings times √width, and norms that multiply with one plus their weights.
/// Source: Gemma: Open Models Based on Gemini Research and Technology, 2024.
/// </summary>
internal sealed class Gemma : Architecture
{
    // GGUF files have the one added to norms already.
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("output_norm", "norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.attn_norm", "layers.*.input_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
        .Replace("blk.*.ffn_norm", "layers.*.post_attention_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne());

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Scale(g.Embedding("token_embd", d.Width), MathF.Sqrt(d.Width));
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, d.Hidden, ActivationKind.GeluTanh));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
