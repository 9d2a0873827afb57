using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// DeepSeek V2 and V3 with R1, Kimi K2 and GLM 4 MoE Lite: latent attention, and experts beside one that all tokens share,
/// chosen group by group. V2 weighs them by a softmax, V3 by sigmoids with a bias that only chooses.
/// Source: DeepSeek-V2, 2024; DeepSeek-V3 technical report, 2024.
/// </summary>
internal sealed class DeepSeek : Architecture
{
    public override TensorNames Names(HyperParameters p) => LatentShape.AddNames(TensorNames.Llama(), p)
        .Add("blk.*.ffn_gate_inp", "layers.*.mlp.gate")
        .Add("blk.*.exp_probs_b.bias", "layers.*.mlp.gate.e_score_correction_bias")
        .Add("blk.*.ffn_gate_exps", "layers.*.mlp.experts.#.gate_proj")
        .Add("blk.*.ffn_up_exps", "layers.*.mlp.experts.#.up_proj")
        .Add("blk.*.ffn_down_exps", "layers.*.mlp.experts.#.down_proj")
        .Add("blk.*.ffn_gate_shexp", "layers.*.mlp.shared_experts.gate_proj")
        .Add("blk.*.ffn_up_shexp", "layers.*.mlp.shared_experts.up_proj")
        .Add("blk.*.ffn_down_shexp", "layers.*.mlp.shared_experts.down_proj");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        // GGUF files count the layers that predict further tokens.
        var layers = p.LayersOfNextToken();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var expertHidden = p.Int("expert_feed_forward_length", "moe_intermediate_size", hidden, 1);
        var experts = p.Int("expert_count", "n_routed_experts", 0, 0);
        var shared = p.Int("expert_shared_count", "n_shared_experts", 0, 0);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        p.Note("leading_dense_block_count", "first_k_dense_replace", DenseLayers(g, layers));
        var rope = p.Rope() ?? new RopeParameters { Type = "default", Theta = 10000 };
        var shape = LatentShape.Read(p);
        shape = shape with { Scale = shape.Scale * Sharpness(rope) };
        var pairing = p.Bool("", "rope_interleave", true) ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        var angles = RopeScaling.Angles(g, p, shape.Turning);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            x = g.Sum(x, g.Linear(g.LatentAttention(h, block, shape, angles, pairing), $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            if (!g.Weights.Has($"{block}.ffn_gate_inp.weight"))
            {
                x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
                continue;
            }
            var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), Router(g, p, $"{block}.exp_probs_b.bias", experts));
            x = g.Sum(x, g.Experts(h, routing, block, experts, expertHidden));
            if (shared > 0)
                x = g.Sum(x, g.GatedFeedForward(h, block, checked(shared * expertHidden), ending: "_shexp"));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    /// <summary>Layers before the first with experts: GGUF files count them, here their tensors tell.</summary>
    public static uint DenseLayers(GraphBuilder g, int layers) =>
        (uint)Enumerable.Range(0, layers).TakeWhile(layer => !g.Weights.Has($"blk.{layer}.ffn_gate_inp.weight")).Count();

    // YaRN sharpens attention here by a factor of the scores instead of one of the angles.
    private static float Sharpness(RopeParameters rope)
    {
        if (rope is not { Type: "yarn", Factor: > 0, MscaleAllDimensions: > 0 })
            return 1;
        var magnitude = RopeScaling.YarnMagnitude(rope.Factor.Value, rope.MscaleAllDimensions.Value);
        return (float)(magnitude * magnitude);
    }

    private static RouterShape Router(GraphBuilder g, HyperParameters p, string bias, int experts)
    {
        var biased = g.Weights.Has(bias);
        var grouped = p.FindText("", "topk_method") != "greedy";
        var router = new RouterShape
        {
            Used = p.Int("expert_used_count", "num_experts_per_tok"),
            Sigmoid = p.FindText("", "scoring_func") is { } name ? name == "sigmoid" : p.FindInt("expert_gating_func", "", 0) is { } number and not 0 ? number == 2 : biased,
            Renormalise = p.Bool("expert_weights_norm", "norm_topk_prob", false),
            Scale = p.Float("expert_weights_scale", "routed_scaling_factor", 1) is var scale and not 0 ? scale : 1,
            Groups = grouped ? p.Int("expert_group_count", "n_group", 1, 1) : 1,
            UsedGroups = grouped ? p.Int("expert_group_used_count", "topk_group", 1, 1) : 1,
            GroupBest = biased ? 2 : 1,
            SelectionBias = biased ? g.Weights.Vector(bias, experts) : [],
        };
        p.Note("expert_gating_func", router.Sigmoid ? 2u : 1u);
        // GGUF has one name for all. Kimi K2 and GLM 4 MoE Lite are V3 with other sizes.
        p.Note("", "model_type", router.Sigmoid ? "deepseek_v3" : "deepseek_v2");
        p.Note("", "architectures", new[] { router.Sigmoid ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM" });
        p.Note("", "scoring_func", router.Sigmoid ? "sigmoid" : "softmax");
        p.Note("", "topk_method", router.Sigmoid ? "noaux_tc" : router.Groups > 1 ? "group_limited_greedy" : "greedy");
        p.Note("", "norm_topk_prob", router.Renormalise);
        return router;
    }
}
