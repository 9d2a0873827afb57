using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Recurrence;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Qwen 3 Next and Qwen 3.5, dense and with experts: three layers of Gated DeltaNet, then one of gated attention, over and over.
/// Source: Yang et al., "Gated Delta Networks", 2024; Qwen3-Next, 2025. The two differ in which of the matrices are fused.
/// </summary>
/// <param name="interleaves">Whether GGUF files have the value heads in another order.</param>
internal sealed class QwenHybrid(bool interleaves) : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        var names = TensorNames.Llama()
            .Replace("output_norm", "norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
            .Replace("blk.*.attn_norm", "layers.*.input_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
            .Replace("blk.*.attn_q_norm", "layers.*.self_attn.q_norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
            .Replace("blk.*.attn_k_norm", "layers.*.self_attn.k_norm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
            .Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm", tensor => tensor.PlusOne(), tensor => tensor.MinusOne())
            .Add("blk.*.ssm_in", "layers.*.linear_attn.in_proj_qkvz")
            .Add("blk.*.ssm_ba", "layers.*.linear_attn.in_proj_ba")
            .Add("blk.*.attn_qkv", "layers.*.linear_attn.in_proj_qkv")
            .Add("blk.*.attn_gate", "layers.*.linear_attn.in_proj_z")
            .Add("blk.*.ssm_alpha", "layers.*.linear_attn.in_proj_a")
            .Add("blk.*.ssm_beta", "layers.*.linear_attn.in_proj_b")
            .Add("blk.*.ssm_conv1d", "layers.*.linear_attn.conv1d", tensor => tensor.Flatten(), tensor => tensor.Unflatten())
            .Add("blk.*.ssm_dt.bias", "layers.*.linear_attn.dt_bias")
            .Add("blk.*.ssm_a", "layers.*.linear_attn.A_log", logarithms => logarithms.ToDecay(), decays => decays.ToLogarithm().Line())
            .Add("blk.*.ssm_norm", "layers.*.linear_attn.norm")
            .Add("blk.*.ssm_out", "layers.*.linear_attn.out_proj")
            .Add("blk.*.ffn_gate_inp", "layers.*.mlp.gate")
            .Add("blk.*.ffn_gate_inp_shexp", "layers.*.mlp.shared_expert_gate")
            // Read and not written, since there is no way back: folders written here have experts one by one.
            .Add("blk.*.ffn_gate_up_exps.weight", "layers.*.mlp.experts.gate_up_proj", tensor => tensor)
            .Add("blk.*.ffn_down_exps.weight", "layers.*.mlp.experts.down_proj", tensor => tensor);
        foreach (var part in (string[])["gate", "up", "down"])
        {
            names.Add($"blk.*.ffn_{part}_exps", $"layers.*.mlp.experts.#.{part}_proj");
            names.Add($"blk.*.ffn_{part}_shexp", $"layers.*.mlp.shared_expert.{part}_proj");
        }
        return names;
    }

    public override TensorNames GgufNames(HyperParameters p)
    {
        var shape = GatedDeltaNet.Read(p, 0).Shape;
        var width = p.Int("embedding_length", "hidden_size");
        var ratio = shape.Heads / shape.KeyHeads;
        if (!interleaves)
            return AddSplit(Names(p), shape);
        if (ratio == 1)
            return Names(p);
        var keys = 2L * shape.KeyHeads * shape.KeyWidth;
        var value = (long)shape.ValueWidth;
        StoredTensor To(StoredTensor tensor, long before, long values) =>
            tensor.ReorderHeads(before, values, shape.Heads, place => (place % shape.KeyHeads * ratio) + (place / shape.KeyHeads));
        StoredTensor From(StoredTensor tensor, long before, long values) =>
            tensor.ReorderHeads(before, values, shape.Heads, place => (place % ratio * shape.KeyHeads) + (place / ratio));
        var names = Names(p)
            .Replace("blk.*.ssm_conv1d", "layers.*.linear_attn.conv1d", tensor => To(tensor.Flatten(), keys * tensor.Columns, value * tensor.Columns), tensor => From(tensor, keys * tensor.Columns, value * tensor.Columns).Unflatten())
            .Replace("blk.*.ssm_a", "layers.*.linear_attn.A_log", logarithms => logarithms.ToDecay().Then(decays => To(decays, 0, 1)), decays => decays.ToLogarithm().Line().Then(logarithms => From(logarithms, 0, 1)));
        foreach (var (canonical, foreign, before, values) in ((string, string, long, long)[])
            [("attn_qkv", "in_proj_qkv", keys * width, value * width), ("attn_gate", "in_proj_z", 0, value * width), ("ssm_alpha", "in_proj_a", 0, width), ("ssm_beta", "in_proj_b", 0, width), ("ssm_dt.bias", "dt_bias", 0, 1), ("ssm_out", "out_proj", 0, value)])
            names.Replace($"blk.*.{canonical}", $"layers.*.linear_attn.{foreign}", tensor => To(tensor, before, values), tensor => From(tensor, before, values));
        return names;
    }

    // Qwen 3 Next's matrix of everything comes key head by key head: its query and key, the values and gates of its share. GGUF files have all
    // queries, keys and values one after the other, and all gates apart; older ones have it as it is.
    private static TensorNames AddSplit(TensorNames names, LinearAttentionShape shape)
    {
        var (key, keys, values) = (shape.KeyWidth, (long)shape.KeyHeads * shape.KeyWidth, (long)shape.Heads / shape.KeyHeads * shape.ValueWidth);
        var (group, mixed) = ((2 * key) + (2 * values), (2 * keys) + (shape.KeyHeads * values));
        long Fused(long row) => row < 2 * keys ? (row % keys / key * group) + (row / keys * key) + (row % key) : Share(row - (2 * keys), 2 * key);
        long Share(long row, long first) => (row / values * group) + first + (row % values);
        long Apart(long row)
        {
            var (head, place) = Math.DivRem(row, group);
            var share = place - (2 * key);
            return share < 0 ? (place / key * keys) + (head * key) + (place % key) : (share < values ? 2 * keys : mixed - values) + (head * values) + share;
        }
        StoredTensor Take(StoredTensor tensor, long all, long count, Func<long, long> source) => tensor.RowCount == all
            ? tensor.TakeRows(count, source)
            : throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} has shape [{string.Join(", ", tensor.Shape)}], expected {all} rows");
        var total = shape.KeyHeads * group;
        return names.JoinMatrices(
            "layers.*.linear_attn.in_proj_qkvz.weight", parts => TensorJoin.Below(parts).Then(rows => Take(rows, total, total, Apart)),
            ("blk.*.attn_qkv.weight", tensor => Take(tensor, total, mixed, Fused)), ("blk.*.attn_gate.weight", tensor => Take(tensor, total, total - mixed, row => Share(row, (2 * key) + values))));
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        // GGUF files count the layers that predict further tokens.
        var layers = p.LayersOfNextToken();
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var net = GatedDeltaNet.Read(p, epsilon);
        var attention = GatedAttention.Read(g, p, epsilon);
        var experts = p.Int("expert_count", "num_experts", 0, 0);
        var hidden = p.Int("expert_feed_forward_length", "moe_intermediate_size", 0, 0);
        // llama.cpp wants these to be said though the tensors tell.
        _ = p.FindInt("feed_forward_length", "intermediate_size", 0);
        if (experts > 0)
            _ = p.FindInt("expert_shared_feed_forward_length", "shared_expert_intermediate_size", 0);
        var router = new RouterShape { Used = experts > 0 ? p.Int("expert_used_count", "num_experts_per_tok") : 0, Renormalise = p.Bool("", "norm_topk_prob", true) };

        var attending = Enumerable.Range(0, layers).FirstOrDefault(layer => !IsRecurrent(g, layer), layers - 1);
        p.Note("full_attention_interval", (uint)attending + 1);
        var recurrent = Enumerable.Range(0, layers).Select(layer => IsRecurrent(g, layer)).ToArray();
        p.Note("attention.recurrent_layers", recurrent);
        p.Note("", "layer_types", Array.ConvertAll(recurrent, layer => layer ? "linear_attention" : "full_attention"));
        if (experts > 0)
            p.Note("", "mlp_only_layers", Enumerable.Range(0, layers).Where(layer => !g.Weights.Has($"blk.{layer}.ffn_gate_inp.weight")).ToArray());

        var x = g.Embedding("token_embd", p.Int("embedding_length", "hidden_size"));
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            x = g.Sum(x, IsRecurrent(g, layer) ? net.Forward(g, h, block) : attention.Forward(g, h, block));
            h = g.RmsNorm(x, $"{block}.post_attention_norm", epsilon);
            x = g.Sum(x, g.Weights.Has($"{block}.ffn_gate_inp.weight")
                ? Experts(g, h, block, experts, hidden, router)
                : g.GatedFeedForward(h, block, g.Weights.Rows($"{block}.ffn_gate.weight")));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static bool IsRecurrent(GraphBuilder g, int layer) => g.Weights.Has($"blk.{layer}.ssm_out.weight");

    // Those chosen, and one that all tokens use, behind a gate of its own.
    private static Node Experts(GraphBuilder g, Node h, string block, int experts, int hidden, RouterShape router)
    {
        var shared = g.GatedFeedForward(h, block, g.Weights.Rows($"{block}.ffn_gate_shexp.weight"), ending: "_shexp");
        var gate = g.Activate(g.Linear(h, $"{block}.ffn_gate_inp_shexp", 1), ActivationKind.Sigmoid);
        var routed = g.Experts(h, g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router), block, experts, hidden);
        return g.Sum(routed, g.ScaleRows(shared, gate));
    }

    /// <summary>The layers without attention.</summary>
    private sealed record GatedDeltaNet(LinearAttentionShape Shape, int Taps, float Epsilon, bool IsGguf)
    {
        private int KeyTotal => Shape.KeyHeads * Shape.KeyWidth;

        private int ValueTotal => Shape.Heads * Shape.ValueWidth;

        public static GatedDeltaNet Read(HyperParameters p, float epsilon)
        {
            var heads = p.Int("ssm.time_step_rank", "linear_num_value_heads");
            var shape = new LinearAttentionShape
            {
                Heads = heads,
                KeyHeads = p.Int("ssm.group_count", "linear_num_key_heads"),
                KeyWidth = p.Int("ssm.state_size", "linear_key_head_dim"),
                ValueWidth = Mamba2Mixer.ReadHeadWidth(p, heads, "linear_value_head_dim"),
                Delta = true,
            };
            if (shape.Heads % shape.KeyHeads != 0)
                throw new ModelFormatException($"{p.Path}: {shape.Heads} heads of linear attention can't share {shape.KeyHeads} key heads");
            return new GatedDeltaNet(shape, p.Int("ssm.conv_kernel", "linear_conv_kernel_dim"), epsilon, p.IsGguf);
        }

        public Node Forward(GraphBuilder g, Node h, string block)
        {
            var (qkv, z, beta, alpha, shape) = Project(g, h, block);
            qkv = g.Activate(g.ShortConvolution(qkv, $"{block}.ssm_conv1d", Taps), ActivationKind.Silu);
            var q = g.L2Norm(g.Columns(qkv, qkv.Width, 0, KeyTotal), 1e-6f, shape.KeyWidth, 1 / MathF.Sqrt(shape.KeyWidth));
            var k = g.L2Norm(g.Columns(qkv, qkv.Width, KeyTotal, KeyTotal), 1e-6f, shape.KeyWidth);
            var v = g.Columns(qkv, qkv.Width, 2 * KeyTotal, ValueTotal);
            var decay = g.Decay(alpha, $"{block}.ssm_dt.bias", $"{block}.ssm_a", shape.Heads);
            var y = g.LinearAttention(q, k, v, decay, g.Activate(beta, ActivationKind.Sigmoid), shape);
            y = g.Gate(z, g.RmsNorm(y, $"{block}.ssm_norm", Epsilon, shape.ValueWidth), ActivationKind.Silu);
            return g.Linear(y, $"{block}.ssm_out", h.Width);
        }

        private (Node Qkv, Node Z, Node Beta, Node Alpha, LinearAttentionShape Shape) Project(GraphBuilder g, Node h, string block)
        {
            var mixed = (2 * KeyTotal) + ValueTotal;
            if (g.Weights.Has($"{block}.ssm_beta.weight"))
            {
                // GGUF files of Qwen 3.5 have the value heads in an order in which those of one key head are far apart.
                var shape = Shape with { Interleaved = IsGguf };
                return (
                    g.Linear(h, $"{block}.attn_qkv", mixed), g.Linear(h, $"{block}.attn_gate", ValueTotal),
                    g.Linear(h, $"{block}.ssm_beta", Shape.Heads), g.Linear(h, $"{block}.ssm_alpha", Shape.Heads), shape);
            }
            // Beta and alpha, and in some files all the rest, come key head by key head.
            var ratio = Shape.Heads / Shape.KeyHeads;
            var ba = g.Linear(h, $"{block}.ssm_ba", 2 * Shape.Heads);
            var beta = g.Columns(ba, 2 * ratio, 0, ratio);
            var alpha = g.Columns(ba, 2 * ratio, ratio, ratio);
            if (g.Weights.Has($"{block}.attn_qkv.weight"))
                return (g.Linear(h, $"{block}.attn_qkv", mixed), g.Linear(h, $"{block}.attn_gate", ValueTotal), beta, alpha, Shape);
            var all = g.Linear(h, $"{block}.ssm_in", mixed + ValueTotal);
            var values = ratio * Shape.ValueWidth;
            var group = (2 * Shape.KeyWidth) + (2 * values);
            var q = g.Columns(all, group, 0, Shape.KeyWidth);
            var k = g.Columns(all, group, Shape.KeyWidth, Shape.KeyWidth);
            var v = g.Columns(all, group, 2 * Shape.KeyWidth, values);
            var z = g.Columns(all, group, (2 * Shape.KeyWidth) + values, values);
            return (g.Join(g.Join(q, k, 1), v, 1), z, beta, alpha, Shape);
        }
    }

    /// <summary>The layers with attention: as in Qwen 3, but a part of each head turns and a gate multiplies the result.</summary>
    private sealed record GatedAttention(AttentionShape Shape, Node Angles, float Epsilon)
    {
        public static GatedAttention Read(GraphBuilder g, HyperParameters p, float epsilon)
        {
            var heads = p.Int("attention.head_count", "num_attention_heads");
            var headWidth = p.Int("attention.key_length", "head_dim");
            var shape = new AttentionShape
            {
                Heads = heads,
                KeyHeads = p.Int("attention.head_count_kv", "num_key_value_heads"),
                KeyWidth = headWidth,
                ValueWidth = headWidth,
                Scale = 1 / MathF.Sqrt(headWidth),
            };
            var turned = p.Int("rope.dimension_count", "", (int)(headWidth * (p.Rope()?.PartialRotaryFactor ?? 0.25)), 2);
            if (turned > headWidth)
                throw new ModelFormatException($"{p.Path}: {turned} values of heads of {headWidth} can't be rotated");
            p.Note("", "partial_rotary_factor", (double)turned / headWidth);
            // How pictures' positions are shared among pairs, which take turns; of text they are all the same. llama.cpp doesn't turn a pair that has no share.
            const string given = "rope_parameters.mrope_section|rope_scaling.mrope_section";
            var sections = p.FindNumbers("", given) ?? [((turned / 2) + 2) / 3, ((turned / 2) + 1) / 3, turned / 2 / 3];
            if (sections.Length > 4 || sections.Any(pairs => !(pairs >= 0 && pairs <= turned)))
                throw p.Wrong("", given, $"[{string.Join(", ", sections)}] for {turned} values");
            if (g.Weights.Has("blk.0.ssm_beta.weight"))
                p.Note("rope.dimension_sections", Enumerable.Range(0, 4).Select(i => i < sections.Length ? (int)sections[i] : 0).ToArray());
            return new GatedAttention(shape, RopeScaling.Angles(g, p, turned), epsilon);
        }

        public Node Forward(GraphBuilder g, Node h, string block)
        {
            var (heads, width) = (Shape.Heads, Shape.KeyWidth);
            var qg = g.Linear(h, $"{block}.attn_q", 2 * heads * width);
            var q = g.RmsNorm(g.Columns(qg, 2 * width, 0, width), $"{block}.attn_q_norm", Epsilon, width);
            var gate = g.Columns(qg, 2 * width, width, width);
            var k = g.RmsNorm(g.Linear(h, $"{block}.attn_k", Shape.KeyHeads * width), $"{block}.attn_k_norm", Epsilon, width);
            q = g.Rope(q, Angles, width, RotaryPairing.Halves);
            k = g.Rope(k, Angles, width, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", Shape.KeyHeads * width);
            return g.Linear(g.Gate(gate, g.Attention(q, k, v, Shape), ActivationKind.Sigmoid), $"{block}.attn_output", h.Width);
        }
    }
}
