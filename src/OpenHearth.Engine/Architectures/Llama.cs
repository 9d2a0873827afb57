using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Llama 1 to 3.x, and what follows it tensor by tensor: TinyLlama, Yi, SmolLM 2, Mistral with its sliding window.
/// Mixtral is the same with experts for a feed-forward block. Source: Touvron et al., LLaMA, 2023; Jiang et al., Mistral 7B, 2023.
/// </summary>
internal sealed class Llama : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.ffn_gate_inp", "layers.*.block_sparse_moe.gate")
        .Add("blk.*.ffn_gate_exps", "layers.*.block_sparse_moe.experts.#.w1")
        .Add("blk.*.ffn_up_exps", "layers.*.block_sparse_moe.experts.#.w3")
        .Add("blk.*.ffn_down_exps", "layers.*.block_sparse_moe.experts.#.w2");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Int("block_count", "num_hidden_layers");
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var shape = new AttentionShape
        {
            Heads = heads,
            KeyHeads = keyHeads,
            KeyWidth = headWidth,
            ValueWidth = headWidth,
            Scale = 1 / MathF.Sqrt(headWidth),
            Window = p.Int("attention.sliding_window", "sliding_window", 0, 0),
        };
        var experts = p.Int("expert_count", "num_local_experts", 0, 0);
        var router = new RouterShape { Used = experts > 0 ? p.Int("expert_used_count", "num_experts_per_tok") : 0, Renormalise = true };
        // GGUF files hold Llama's query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, p.Int("rope.dimension_count", "", headWidth, 2));

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", heads * headWidth), angles, headWidth, pairing);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), angles, headWidth, pairing);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, experts == 0
                ? g.GatedFeedForward(h, block, hidden)
                : g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router), block, experts, hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
