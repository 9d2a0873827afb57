using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Granite 3: Llama with four multipliers: of embeddings, of what blocks add, of attention scores and of logits. The MoE
/// sizes have experts for a feed-forward block, some with one beside them that all tokens share.
/// Source: Granite 3.0 Language Models, 2024.
/// </summary>
internal sealed class Granite : Architecture
{
    public override TensorNames Names(HyperParameters p) => HasExperts(p) ? AddExpertNames(TensorNames.Llama(), p) : TensorNames.Llama();

    /// <summary>Adds what the Hugging Face form calls the tensors of experts; gate and up are one matrix. Without experts, what all tokens share is the feed-forward block.</summary>
    public static TensorNames AddExpertNames(TensorNames names, HyperParameters p)
    {
        var ending = HasExperts(p) ? "_shexp" : "";
        return names.Without($"blk.*.ffn_gate{ending}", $"blk.*.ffn_up{ending}", $"blk.*.ffn_down{ending}")
            .Add("blk.*.ffn_gate_inp", "layers.*.block_sparse_moe.router.layer")
            .Add("blk.*.ffn_gate_up_exps", "layers.*.block_sparse_moe.input_linear")
            .Add("blk.*.ffn_down_exps", "layers.*.block_sparse_moe.output_linear")
            .Join(
                "layers.*.block_sparse_moe.input_linear.weight", parts => TensorJoin.Below(parts),
                ("blk.*.ffn_gate_exps.weight", tensor => tensor.HalfOfEach(0)), ("blk.*.ffn_up_exps.weight", tensor => tensor.HalfOfEach(1)))
            .JoinMatrices(
                "layers.*.shared_mlp.input_linear.weight", parts => TensorJoin.Below(parts).Flatten(),
                ($"blk.*.ffn_gate{ending}.weight", tensor => tensor.Rows(0, tensor.RowCount / 2)), ($"blk.*.ffn_up{ending}.weight", tensor => tensor.Rows(tensor.RowCount / 2, tensor.RowCount / 2)))
            .Add($"blk.*.ffn_down{ending}", "layers.*.shared_mlp.output_linear");
    }

    private static bool HasExperts(HyperParameters p) => p.FindNumber("expert_count", "num_local_experts") > 0;

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
            x = g.Sum(x, g.Scale(FeedForward(g, p, h, block), residual));
        }
        return g.Build(g.Scale(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)), 1 / divisor));
    }

    /// <summary>The feed-forward block of a layer: dense, experts, or experts beside one that all tokens share.</summary>
    public static Node FeedForward(GraphBuilder g, HyperParameters p, Node h, string block)
    {
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        if (!g.Weights.Has($"{block}.ffn_gate_inp.weight"))
        {
            var width = g.Weights.Rows($"{block}.ffn_gate.weight");
            p.Note("feed_forward_length", (uint)width);
            return g.GatedFeedForward(h, block, width);
        }
        var sharedHidden = p.FindInt("expert_shared_feed_forward_length", "shared_intermediate_size", 0) is { } given and not 0 ? given : hidden;
        var hasShared = g.Weights.Has($"{block}.ffn_down_shexp.weight");
        var count = p.Int("expert_count", "num_local_experts");
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Renormalise = true };
        var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", count), router);
        var expertHidden = p.FindInt("expert_feed_forward_length", "") ?? hidden;
        p.Note("", "intermediate_size", (uint)expertHidden);
        var experts = g.Experts(h, routing, block, count, expertHidden);
        return hasShared ? g.Sum(experts, g.GatedFeedForward(h, block, sharedHidden, ending: "_shexp")) : experts;
    }
}
