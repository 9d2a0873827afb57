using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// ModernBERT: an encoder with rotary positions, gated feed-forward blocks and norms before them; two layers of three see
/// only near tokens, and turn by a base of their own. Source: Warner et al., Smarter, Better, Faster, Longer, 2024.
/// </summary>
internal sealed class ModernBert : Architecture
{
    public override TensorNames Names(HyperParameters p) => new TensorNames()
        .Add("token_embd", "embeddings.tok_embeddings")
        .Add("token_embd_norm", "embeddings.norm")
        .Add("output_norm", "final_norm")
        .Add("blk.*.attn_norm", "layers.*.attn_norm")
        .Add("blk.*.attn_qkv", "layers.*.attn.Wqkv")
        .Add("blk.*.attn_output", "layers.*.attn.Wo")
        .Add("blk.*.ffn_norm", "layers.*.mlp_norm")
        .Add("blk.*.ffn_up", "layers.*.mlp.Wi")
        .Add("blk.*.ffn_down", "layers.*.mlp.Wo");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var epsilon = p.Float("attention.layer_norm_epsilon", "norm_eps");
        var period = p.Int("attention.sliding_window_pattern", "global_attn_every_n_layers", 3, 1);
        var activation = ActivationNames.Read(p, "hidden_activation", ActivationKind.Gelu, "hidden_activation");
        var headWidth = p.HeadWidth(width, heads);
        var full = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth), Causal = false };
        // Half of the tokens that are seen lie before, half after.
        var windowed = full with { Window = (p.Int("attention.sliding_window", "local_attention") / 2) + 1 };
        Node Angles(string kind, double theta, string gguf, string huggingFace)
        {
            var rope = p.Rope(kind) ?? new RopeParameters { Type = "default", Theta = theta };
            p.Note(gguf, huggingFace, (float)rope.Theta);
            return g.RopeAngles(RopeScaling.Frequencies(rope, p, headWidth));
        }
        var far = Angles("full_attention", 160000, "rope.freq_base", "global_rope_theta");
        var near = Angles("sliding_attention", 10000, "rope.freq_base_swa", "local_rope_theta");
        Bert.NoteEncoder(g, p);
        p.Note("", "norm_bias", g.Weights.Has("output_norm.bias"));
        p.Note("", "mlp_bias", g.Weights.Has("blk.0.ffn_up.bias"));

        var x = g.LayerNorm(g.Embedding("token_embd", width), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var isFull = layer % period == 0;
            var h = layer == 0 ? x : g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = g.QueryKeyValue(h, $"{block}.attn_qkv", heads, heads, headWidth);
            q = g.Rope(q, isFull ? far : near, headWidth, RotaryPairing.Halves);
            k = g.Rope(k, isFull ? far : near, headWidth, RotaryPairing.Halves);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, isFull ? full : windowed), $"{block}.attn_output", width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            var gate = g.Linear(h, $"{block}.ffn_up", hidden, 0, 2 * hidden);
            var up = g.Linear(h, $"{block}.ffn_up", hidden, hidden, 2 * hidden);
            x = g.Sum(x, g.Linear(g.Gate(gate, up, activation), $"{block}.ffn_down", width));
        }
        return g.Build(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon), OutputKind.Hidden);
    }
}
