using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Llama 4: three layers of four attend within chunks and turn their keys, the fourth sees everything without positions; what
/// an expert reads is weighed, not what it gives. Source: Meta's Llama 4 reference code, 2025.
/// </summary>
internal sealed class Llama4 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Replace("blk.*.ffn_gate", "layers.*.feed_forward.gate_proj")
        .Replace("blk.*.ffn_up", "layers.*.feed_forward.up_proj")
        .Replace("blk.*.ffn_down", "layers.*.feed_forward.down_proj")
        .Add("blk.*.ffn_gate_inp", "layers.*.feed_forward.router")
        .Add("blk.*.ffn_gate_shexp", "layers.*.feed_forward.shared_expert.gate_proj")
        .Add("blk.*.ffn_up_shexp", "layers.*.feed_forward.shared_expert.up_proj")
        .Add("blk.*.ffn_down_shexp", "layers.*.feed_forward.shared_expert.down_proj")
        .Join("layers.*.feed_forward.experts.gate_up_proj", GateBesideUp, ("blk.*.ffn_gate_exps.weight", tensor => Half(tensor, 0)), ("blk.*.ffn_up_exps.weight", tensor => Half(tensor, 1)))
        .Join("layers.*.feed_forward.experts.down_proj", parts => parts[0].Transpose(), ("blk.*.ffn_down_exps.weight", tensor => tensor.Transpose()));

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size_mlp");
        var expertHidden = p.Int("expert_feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var experts = p.Int("expert_count", "num_local_experts");
        _ = p.FindInt("interleave_moe_layer_step", "interleave_moe_layer_step"); // here its tensors tell a layer's kind
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok"), Sigmoid = true };
        var full = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        // GGUF files say neither which layers turn nor how long a chunk is nor, by a key, whether queries and keys are
        // normed: Scout's are, Maverick's 128 experts go without.
        var chunked = full with { Chunk = p.Int("", "attention_chunk_size", 8192, 1) };
        var normed = p.Bool("", "use_qk_norm", experts != 128);
        p.Note("", "use_qk_norm", normed);
        var turns = p.FindNumbers("", "no_rope_layers") is { Length: > 0 } given ? given : [.. Enumerable.Range(1, layers).Select(n => n % 4 == 0 ? 0.0 : 1.0)];
        if (turns.Length < layers)
            throw p.Wrong("", "no_rope_layers", $"a list of {turns.Length} entries for {layers} layers");
        p.Note("", "no_rope_layers", turns[..layers].Select(turn => turn == 0 ? 0 : 1).ToArray());
        p.Note("", "moe_layers", Enumerable.Range(0, layers).Where(layer => g.Weights.Has($"blk.{layer}.ffn_gate_inp.weight")).ToArray());
        var (scale, floor) = (p.Float("attention.temperature_scale", "attn_scale", 0.1f), p.Int("attention.temperature_length", "floor_scale", 8192, 1));
        var tuned = p.Bool("", "attn_temperature_tuning", true);
        var angles = RopeScaling.Angles(g, p, p.Int("rope.dimension_count", "", headWidth, 2));

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Linear(h, $"{block}.attn_q", heads * headWidth);
            var k = g.Linear(h, $"{block}.attn_k", keyHeads * headWidth);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            if (turns[layer] != 0)
                (q, k) = (g.Rope(q, angles, headWidth, RotaryPairing.Neighbours), g.Rope(k, angles, headWidth, RotaryPairing.Neighbours));
            if (turns[layer] != 0 && normed)
                (q, k) = (g.RmsNorm(q, null, epsilon, headWidth), g.RmsNorm(k, null, epsilon, headWidth));
            if (turns[layer] == 0 && tuned)
                q = g.Temperature(q, scale, floor, 1);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, turns[layer] != 0 ? chunked : full), $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            if (!g.Weights.Has($"{block}.ffn_gate_inp.weight"))
            {
                x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
                continue;
            }
            var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router);
            x = g.Sum(x, g.GatedFeedForward(h, block, expertHidden, ending: "_shexp"));
            x = g.Sum(x, g.Experts(h, routing, block, experts, expertHidden, weighInput: true));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    // of one expert: [1, hidden, width] twice to [1, width, 2 · hidden]
    private static StoredTensor GateBesideUp(StoredTensor[] parts)
    {
        var both = TensorJoin.Below(parts);
        using (both.Owner)
            return both.Transpose();
    }

    private static StoredTensor Half(StoredTensor tensor, int half)
    {
        var width = checked((int)tensor.Columns) / 2;
        return tensor.Transpose(half * width, width);
    }
}
