using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Phi-3, 3.5 and 4: Llama with queries, keys and values in one matrix, gate and up in another, and long RoPE.
/// Source: Phi-3 Technical Report, 2024; Phi-4 Technical Report, 2024.
/// </summary>
internal sealed class Phi3 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.attn_qkv", "layers.*.self_attn.qkv_proj")
        .Replace("blk.*.ffn_up", "layers.*.mlp.gate_up_proj");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var shape = d.Attention with { Window = d.Window };
        var queries = d.Heads * d.HeadWidth;
        var keys = d.KeyHeads * d.HeadWidth;
        var all = queries + (2 * keys);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_qkv", queries, 0, all), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_qkv", keys, queries, all), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_qkv", keys, queries + keys, all);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", d.Width));
            x = g.Sum(x, g.GatedFeedForward(g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon), block, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
