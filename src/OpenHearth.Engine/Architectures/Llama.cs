using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Llama 1 to 3.x, and what follows it tensor by tensor: TinyLlama, Yi, SmolLM 2, Mistral with its sliding window.
/// Mixtral is the same with experts for a feed-forward block; Ministral 3 sharpens queries as positions grow. Source: Touvron et al., LLaMA, 2023; Jiang et al., Mistral 7B, 2023.
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
        var d = new DecoderParameters(p);
        var shape = d.Attention with { Window = d.Window };
        var experts = p.Int("expert_count", "num_local_experts", 0, 0);
        var router = new RouterShape { Used = experts > 0 ? p.Int("expert_used_count", "num_experts_per_tok") : 0, Renormalise = true };
        // GGUF files hold Llama's query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);
        var sharpening = p.Float("attention.temperature_scale", "rope_parameters.llama_4_scaling_beta", 0);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, pairing);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            if (sharpening != 0)
                q = g.Temperature(q, sharpening, OriginalLength(p), 0);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, experts == 0
                ? g.GatedFeedForward(h, block, d.Hidden)
                : g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router), block, experts, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }

    private static int OriginalLength(HyperParameters p) =>
        p.Int("rope.scaling.original_context_length", "rope_parameters.original_max_position_embeddings|max_position_embeddings");
}
