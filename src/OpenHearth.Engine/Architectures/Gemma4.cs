using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Gemma 4: Gemma 3 with plain norms, also on values, unscaled scores, wider heads in layers without a window, a second embedding
/// that gives each layer an input of its own, and last layers that read the keys and values of an earlier one. The MoE size has
/// experts beside the feed-forward block, both between norms of their own; the router reads what comes before all of them.
/// Source: Gemma 4's model card and configuration, 2026.
/// </summary>
internal sealed class Gemma4 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("per_layer_token_embd", "embed_tokens_per_layer")
        .Add("per_layer_model_proj", "per_layer_model_projection")
        .Add("per_layer_proj_norm", "per_layer_projection_norm")
        .Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm")
        .Replace("blk.*.ffn_norm", "layers.*.pre_feedforward_layernorm")
        .Add("blk.*.post_ffw_norm", "layers.*.post_feedforward_layernorm")
        .Add("blk.*.inp_gate", "layers.*.per_layer_input_gate")
        .Add("blk.*.proj", "layers.*.per_layer_projection")
        .Add("blk.*.post_norm", "layers.*.post_per_layer_input_norm")
        .Add("blk.*.layer_output_scale.weight", "layers.*.layer_scalar")
        .Add("blk.*.post_ffw_norm_1", "layers.*.post_feedforward_layernorm_1")
        .Add("blk.*.pre_ffw_norm_2", "layers.*.pre_feedforward_layernorm_2")
        .Add("blk.*.post_ffw_norm_2", "layers.*.post_feedforward_layernorm_2")
        .Add("blk.*.ffn_gate_inp", "layers.*.router.proj")
        .Add("blk.*.ffn_gate_inp.scale", "layers.*.router.scale")
        .Add("blk.*.ffn_gate_up_exps.weight", "layers.*.experts.gate_up_proj")
        .Join("layers.*.experts.gate_up_proj", parts => TensorJoin.Below(parts), ("blk.*.ffn_gate_exps.weight", NotSplit), ("blk.*.ffn_up_exps.weight", NotSplit))
        .Add("blk.*.ffn_down_exps.weight", "layers.*.experts.down_proj")
        .Add("blk.*.ffn_down_exps.scale", "layers.*.router.per_expert_scale");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        var ownKeys = d.Layers - p.Int("attention.shared_kv_layers", "num_kv_shared_layers", 0, 0);
        var hasWindow = d.WindowedLayers(6);
        NoteLayers(g, p, d, hasWindow, ownKeys);
        NoteConfig(g, p, d, hasWindow, ownKeys);
        var angles = new Dictionary<bool, Node>();
        var kept = new Dictionary<bool, AttentionOp>(); // by whether there is a window: the last layer with keys of its own

        var x = g.Scale(g.Embedding("token_embd", d.Width), MathF.Sqrt(d.Width));
        var inputs = LayerInputs(g, p, d, x);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var window = hasWindow[layer];
            var headWidth = Share(p, g.Weights.Rows($"{block}.attn_q.weight"), d.Heads);
            if (!angles.TryGetValue(window, out var turn))
                angles.Add(window, turn = Angles(g, p, d, window, headWidth));
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.RmsNorm(g.Linear(h, $"{block}.attn_q", d.Heads * headWidth), $"{block}.attn_q_norm", d.Epsilon, headWidth);
            q = g.Rope(q, turn, headWidth, RotaryPairing.Halves);
            var attended = layer < ownKeys
                ? kept[window] = OwnKeys(g, p, d, h, q, turn, block, window)
                : OthersKeys(g, p, q, kept.GetValueOrDefault(window));
            x = g.Sum(x, g.RmsNorm(g.Linear(attended, $"{block}.attn_output", d.Width), $"{block}.post_attention_norm", d.Epsilon));
            x = g.Sum(x, g.RmsNorm(FeedForward(g, p, d, x, block), $"{block}.post_ffw_norm", d.Epsilon));
            if (inputs is not null)
                x = g.Sum(x, LayerInput(g, d, x, inputs, layer));
            if (g.Weights.Has($"{block}.layer_output_scale.weight"))
                x = g.Scale(x, g.Weights.Vector($"{block}.layer_output_scale.weight", 1)[0]);
        }
        var cap = p.Float("final_logit_softcapping", "final_logit_softcapping", 0);
        if (cap == 0)
            p.Note("", "final_logit_softcapping", null);
        return g.Build(g.SoftCap(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)), cap));
    }

    // What the tensors tell too, but llama.cpp wants to be said.
    private static void NoteLayers(GraphBuilder g, HyperParameters p, DecoderParameters d, bool[] hasWindow, int ownKeys)
    {
        int HeadWidth(int layer) => Share(p, g.Weights.Rows($"blk.{layer}.attn_q.weight"), d.Heads);
        p.Note("attention.sliding_window_pattern", hasWindow);
        foreach (var (window, ending) in new[] { (false, ""), (true, "_swa") })
        {
            if (Array.IndexOf(hasWindow, window) is not (>= 0 and var layer))
                continue;
            foreach (var key in (string[])["attention.key_length", "attention.value_length", "rope.dimension_count"])
                p.Note(key + ending, (uint)HeadWidth(layer));
        }
        p.Note("feed_forward_length", Enumerable.Range(0, d.Layers).Select(layer => g.Weights.Rows($"blk.{layer}.ffn_gate.weight")).ToArray());
        // Layers that read another's keys have none of their own to count; they are said to have as many.
        p.Note("attention.head_count_kv", Enumerable.Range(0, d.Layers).Select(layer =>
        {
            var own = layer < ownKeys ? layer : Array.LastIndexOf(hasWindow[..Math.Max(ownKeys, 0)], hasWindow[layer]);
            return own < 0 ? d.KeyHeads : Share(p, g.Weights.Rows($"blk.{own}.attn_k.weight"), HeadWidth(own));
        }).ToArray());
    }

    // Here the tensors tell; a class is told.
    private static void NoteConfig(GraphBuilder g, HyperParameters p, DecoderParameters d, bool[] hasWindow, int ownKeys)
    {
        int Hidden(int layer) => g.Weights.Rows($"blk.{layer}.ffn_gate.weight");
        int HeadWidth(int layer) => Share(p, g.Weights.Rows($"blk.{layer}.attn_q.weight"), d.Heads);
        int KeyHeads(int layer) => Share(p, g.Weights.Rows($"blk.{layer}.attn_k.weight"), HeadWidth(layer));
        p.Note("", "layer_types", Array.ConvertAll(hasWindow, window => window ? "sliding_attention" : "full_attention"));
        p.Note("", "intermediate_size", Hidden(0));
        p.Note("", "use_double_wide_mlp", ownKeys < d.Layers && Hidden(d.Layers - 1) == 2L * Hidden(0));
        p.Note("", "enable_moe_block", g.Weights.Has("blk.0.ffn_gate_inp.weight"));
        foreach (var (window, ending) in new[] { (true, ""), (false, "global_") })
        {
            var layer = Array.IndexOf(hasWindow, window);
            if (layer < 0)
                layer = 0; // all are of the other kind
            p.Note("", $"{ending}head_dim", HeadWidth(layer));
            if (layer < ownKeys)
                p.Note("", $"num_{ending}key_value_heads", KeyHeads(layer));
            p.Note("", "attention_k_eq_v", layer < ownKeys && !g.Weights.Has($"blk.{layer}.attn_v.weight"));
        }
        // Nothing but the shared code asks for it.
        p.Note("", "rotary_dim", HeadWidth(Math.Max(Array.IndexOf(hasWindow, true), 0)));
    }

    private static Node FeedForward(GraphBuilder g, HyperParameters p, DecoderParameters d, Node x, string block)
    {
        var hidden = g.Weights.Rows($"{block}.ffn_gate.weight");
        var dense = g.GatedFeedForward(g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon), block, hidden, ActivationKind.GeluTanh);
        if (!g.Weights.Has($"{block}.ffn_gate_inp.weight"))
            return dense;
        var experts = p.Int("expert_count", "num_experts");
        var router = new RouterShape
        {
            Used = p.Int("expert_used_count", "top_k_experts|num_experts_per_tok"),
            Renormalise = true,
            ExpertScale = g.Weights.Has($"{block}.ffn_down_exps.scale") ? g.Weights.Vector($"{block}.ffn_down_exps.scale", experts) : [],
        };
        var scale = g.Weights.Vector($"{block}.ffn_gate_inp.scale", d.Width).Select(value => value / MathF.Sqrt(d.Width));
        var scores = g.Linear(g.Add(new RmsNormOp(x, [.. scale], d.Epsilon, d.Width)), $"{block}.ffn_gate_inp", experts);
        var h = g.RmsNorm(x, $"{block}.pre_ffw_norm_2", d.Epsilon);
        h = g.Experts(h, g.Router(scores, router), block, experts, p.Int("expert_feed_forward_length", "moe_intermediate_size"), ActivationKind.GeluTanh);
        return g.Sum(g.RmsNorm(dense, $"{block}.post_ffw_norm_1", d.Epsilon), g.RmsNorm(h, $"{block}.post_ffw_norm_2", d.Epsilon));
    }

    // Layers without a window may have no value matrix; then values are the keys before their norm.
    private static AttentionOp OwnKeys(GraphBuilder g, HyperParameters p, DecoderParameters d, Node h, Node q, Node angles, string block, bool window)
    {
        var headWidth = q.Width / d.Heads;
        var width = g.Weights.Rows($"{block}.attn_k.weight");
        var shape = new AttentionShape
        {
            Heads = d.Heads,
            KeyHeads = Share(p, width, headWidth),
            KeyWidth = headWidth,
            ValueWidth = headWidth,
            Scale = 1,
            Window = window ? d.Window : 0,
        };
        var k = g.Linear(h, $"{block}.attn_k", width);
        var v = g.Weights.Has($"{block}.attn_v.weight") ? g.Linear(h, $"{block}.attn_v", width) : k;
        k = g.Rope(g.RmsNorm(k, $"{block}.attn_k_norm", d.Epsilon, headWidth), angles, headWidth, RotaryPairing.Halves);
        return (AttentionOp)g.Attention(q, k, g.RmsNorm(v, null, d.Epsilon, headWidth), shape);
    }

    private static Node OthersKeys(GraphBuilder g, HyperParameters p, Node q, AttentionOp? other) =>
        other is not null && q.Width == other.Shape.Heads * other.Shape.KeyWidth
            ? g.Add(new AttentionOp([q], other.Shape, other.Slot))
            : throw p.Wrong("attention.shared_kv_layers", "num_kv_shared_layers", "so many: no layer of the same kind comes before");

    // In layers without a window only the faster pairs of a head turn; GGUF files have divisors that stop the others.
    private static Node Angles(GraphBuilder g, HyperParameters p, DecoderParameters d, bool window, int headWidth)
    {
        if (window)
        {
            p.Note("", "rope_parameters.sliding_attention.rope_type", "default");
            p.Note("", "rope_parameters.sliding_attention.rope_theta", p.FindNumber("rope.freq_base_swa", "rope_parameters.sliding_attention.rope_theta|rope_local_base_freq") ?? 10000);
            return g.RopeAngles(d.WindowRope(headWidth, 10000));
        }
        if (p.IsGguf)
        {
            var turning = g.Weights.Has("rope_freqs.weight") ? g.Weights.Vector("rope_freqs.weight", headWidth / 2).Count(divisor => divisor < RopeScaling.Still) : headWidth / 2;
            p.Note("", "rope_parameters.full_attention.rope_type", "proportional");
            p.Note("", "rope_parameters.full_attention.rope_theta", p.Rope()!.Theta);
            p.Note("", "rope_parameters.full_attention.partial_rotary_factor", 2.0 * turning / headWidth);
            return RopeScaling.Angles(g, p, headWidth);
        }
        var theta = p.FindNumber("", "rope_parameters.full_attention.rope_theta") ?? 1e6;
        var given = p.FindText("", "rope_parameters.full_attention.rope_type");
        var share = p.FindNumber("", "rope_parameters.full_attention.partial_rotary_factor") ?? (given is null ? 0.25 : 1);
        p.NoteTensor("rope_freqs.weight", [.. Enumerable.Range(0, headWidth / 2).Select(pair => pair < (int)(share * headWidth) / 2 ? 1f : RopeScaling.Still)]);
        return given is null or "proportional" or "default"
            ? g.RopeAngles(RopeScaling.Partial(theta, share, p, headWidth))
            : throw p.Wrong("", "rope_parameters.full_attention.rope_type", given);
    }

    // [tokens, layers · width]: half what the token says, half what its embedding says
    private static Node? LayerInputs(GraphBuilder g, HyperParameters p, DecoderParameters d, Node x)
    {
        var width = p.Int("embedding_length_per_layer_input", "hidden_size_per_layer_input", 0, 0);
        if (width == 0)
        {
            p.Note("", "hidden_size_per_layer_input", 0u); // a class that isn't told has some
            return null;
        }
        p.Note("", "vocab_size_per_layer_input", g.Weights.Rows("per_layer_token_embd.weight"));
        var all = checked(d.Layers * width);
        if (g.Weights.Rows("per_layer_token_embd.weight") != g.Weights.Rows("token_embd.weight"))
            throw p.Wrong("", "vocab_size_per_layer_input", g.Weights.Rows("per_layer_token_embd.weight"));
        var context = g.Scale(g.Linear(x, "per_layer_model_proj", all), 1 / MathF.Sqrt(d.Width));
        context = g.RmsNorm(context, "per_layer_proj_norm", d.Epsilon, width);
        return g.Scale(g.Sum(context, g.Scale(g.Embedding("per_layer_token_embd", all), MathF.Sqrt(width))), MathF.Sqrt(0.5f));
    }

    private static Node LayerInput(GraphBuilder g, DecoderParameters d, Node x, Node inputs, int layer)
    {
        var width = inputs.Width / d.Layers;
        var gate = g.Linear(x, $"blk.{layer}.inp_gate", width);
        var h = g.Gate(gate, g.Columns(inputs, inputs.Width, layer * width, width), ActivationKind.GeluTanh);
        return g.RmsNorm(g.Linear(h, $"blk.{layer}.proj", d.Width), $"blk.{layer}.post_norm", d.Epsilon);
    }

    // Loading takes gate and up as one.
    private static StoredTensor NotSplit(StoredTensor tensor) => throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} is read whole");

    private static int Share(HyperParameters p, int rows, int parts) => rows >= parts && rows % parts == 0
        ? rows / parts
        : throw new ModelFormatException($"{p.Path}: {rows} queries or keys can't be shared by heads of {parts}");
}
