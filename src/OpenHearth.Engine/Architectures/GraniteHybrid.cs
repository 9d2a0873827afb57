using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// Granite 4: Granite's multipliers around layers of Mamba 2 and a few of attention, mostly without positions; experts
/// beside one that all tokens share, or that one alone. Source: IBM, Granite 4.0, 2025.
/// </summary>
internal sealed class GraniteHybrid : Architecture
{
    public override TensorNames Names(HyperParameters p) => Granite.AddExpertNames(Mamba2Mixer.Names(TensorNames.Llama(), "layers.*.mamba", p.FindNumber("ssm.group_count", "mamba_n_groups")), p);

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var residual = p.Float("residual_scale", "residual_multiplier", 1);
        var divisor = p.Float("logit_scale", "logits_scaling", 1);
        if (divisor == 0)
            throw p.Wrong("logit_scale", "logits_scaling", divisor);
        var heads = p.Int("ssm.time_step_rank", "mamba_n_heads");
        var mixer = new Mamba2Mixer(
            heads, Mamba2Mixer.ReadHeadWidth(p, heads, "mamba_d_head"), p.Int("ssm.group_count", "mamba_n_groups"),
            p.Int("ssm.state_size", "mamba_d_state"), p.Int("ssm.conv_kernel", "mamba_d_conv"), epsilon);
        var attention = Attention(p, layers, width);
        p.Note("attention.head_count_kv", Enumerable.Range(0, layers).Select(layer => IsMamba(g, layer) ? 0 : attention.KeyHeads).ToArray());
        p.Note("", "num_key_value_heads", attention.KeyHeads);
        Describe(g, p, layers, (double)heads * mixer.HeadWidth / width);
        var turns = p.IsGguf ? p.Bool("rope.scaling.finetuned", "", true) : p.FindText("", "position_embedding_type") == "rope";
        p.Note("rope.scaling.finetuned", turns);
        p.Note("", "position_embedding_type", turns ? "rope" : "nope");
        var angles = turns ? RopeScaling.Angles(g, p, attention.KeyWidth) : null;

        var x = g.Scale(g.Embedding("token_embd", width), p.Float("embedding_scale", "embedding_multiplier", 1));
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            h = IsMamba(g, layer) ? mixer.Forward(g, h, block) : Attend(g, h, block, attention, angles, p.IsGguf);
            x = g.Sum(x, g.Scale(h, residual));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.Scale(Granite.FeedForward(g, p, h, block), residual));
        }
        return g.Build(g.Scale(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)), 1 / divisor));
    }

    // What the model's class wants to be said though the tensors tell.
    private static void Describe(GraphBuilder g, HyperParameters p, int layers, double expand)
    {
        p.Note("", "layer_types", Enumerable.Range(0, layers).Select(layer => IsMamba(g, layer) ? "mamba" : "attention").ToArray());
        p.Note("", "mamba_expand", expand);
        bool HaveBias(string tensor) => Enumerable.Range(0, layers).Any(layer => g.Weights.Has($"blk.{layer}.{tensor}.bias"));
        p.Note("", "mamba_conv_bias", HaveBias("ssm_conv1d"));
        p.Note("", "mamba_proj_bias", HaveBias("ssm_in"));
        if (!g.Weights.Has("blk.0.ffn_gate_inp.weight"))
        {
            p.Note("", "num_local_experts", 0u);
            p.Note("", "shared_intermediate_size", (uint)g.Weights.Rows("blk.0.ffn_gate.weight"));
        }
    }

    private static bool IsMamba(GraphBuilder g, int layer) => g.Weights.Has($"blk.{layer}.ssm_in.weight");

    private static AttentionShape Attention(HyperParameters p, int layers, int width)
    {
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        return new AttentionShape
        {
            Heads = heads,
            // GGUF files say 0 for the layers without attention.
            KeyHeads = Math.Max(1, p.Ints("attention.head_count_kv", "num_key_value_heads", layers, heads, 0).Max()),
            KeyWidth = headWidth,
            ValueWidth = headWidth,
            Scale = p.Float("attention.scale", "attention_multiplier", 1 / MathF.Sqrt(headWidth)),
        };
    }

    private static Node Attend(GraphBuilder g, Node h, string block, AttentionShape shape, Node? angles, bool gguf)
    {
        var q = g.Linear(h, $"{block}.attn_q", shape.Heads * shape.KeyWidth);
        var k = g.Linear(h, $"{block}.attn_k", shape.KeyHeads * shape.KeyWidth);
        var v = g.Linear(h, $"{block}.attn_v", shape.KeyHeads * shape.KeyWidth);
        if (angles is not null)
        {
            // GGUF files hold query and key rows permuted so that neighbours are rotated.
            var pairing = gguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
            q = g.Rope(q, angles, shape.KeyWidth, pairing);
            k = g.Rope(k, angles, shape.KeyWidth, pairing);
        }
        return g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", h.Width);
    }
}
