using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Phi 1, 1.5 and 2: attention and feed-forward block read the same layer norm, a part of each head is rotated, everything
/// has a bias, the head too. Source: Li et al., Textbooks Are All You Need II, 2023; Microsoft's Phi-2, 2023.
/// </summary>
internal sealed class Phi2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("output_norm", "final_layernorm")
        .Replace("blk.*.attn_output", "layers.*.self_attn.dense")
        .Replace("blk.*.ffn_up", "layers.*.mlp.fc1")
        .Replace("blk.*.ffn_down", "layers.*.mlp.fc2")
        .Add("blk.*.attn_qkv", [.. "qkv".Select(part => $"layers.*.self_attn.{part}_proj")], Below, (all, part) => Part(new DecoderParameters(p), all, part));

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        if (p.Bool("", "qk_layernorm", false))
            throw p.Wrong("", "qk_layernorm", "true");
        var d = new DecoderParameters(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_eps");
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.GeluTanh);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = QueryKeyValue(g, d, h, block);
            q = g.Rope(q, angles, d.HeadWidth, RotaryPairing.Halves);
            k = g.Rope(k, angles, d.HeadWidth, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            x = g.Sum(x, g.FeedForward(h, block, d.Hidden, activation));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    // Some GGUF files have them in one matrix.
    private static (Node Queries, Node Keys, Node Values) QueryKeyValue(GraphBuilder g, DecoderParameters d, Node h, string block)
    {
        if (!g.Weights.Has($"{block}.attn_q.weight"))
            return g.QueryKeyValue(h, $"{block}.attn_qkv", d.Heads, d.KeyHeads, d.HeadWidth);
        var keys = d.KeyHeads * d.HeadWidth;
        return (g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), g.Linear(h, $"{block}.attn_k", keys), g.Linear(h, $"{block}.attn_v", keys));
    }

    private static StoredTensor Below(StoredTensor[] parts) =>
        parts[0].Shape.Length < 2 ? TensorJoin.Below([.. parts.Select(bias => bias.Column())]).Line() : TensorJoin.Below(parts).Flatten();

    private static StoredTensor Part(DecoderParameters d, StoredTensor all, int part)
    {
        var (queries, keys) = (d.Heads * d.HeadWidth, d.KeyHeads * d.HeadWidth);
        var (first, rows) = part == 0 ? (0, queries) : (queries + (part - 1) * keys, keys);
        return all.Shape.Length < 2 ? all.Column().Rows(first, rows).Line() : all.Rows(first, rows);
    }
}
