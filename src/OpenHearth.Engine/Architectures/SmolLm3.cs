using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>SmolLM 3: Llama with every fourth layer free of positions (NoPE). Source: Yang et al., RoPE to NoPE and Back Again, 2025.</summary>
internal sealed class SmolLm3 : Architecture
{
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
        };
        // GGUF files hold query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        // GGUF files don't say which layers turn; all of this family leave out every fourth.
        var turns = p.FindNumbers("", "no_rope_layers") ?? [.. Enumerable.Range(1, layers).Select(n => n % 4 == 0 ? 0.0 : 1.0)];
        if (turns.Length < layers)
            throw p.Wrong("", "no_rope_layers", $"a list of {turns.Length} entries for {layers} layers");
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
            {
                q = g.Rope(q, angles, headWidth, pairing);
                k = g.Rope(k, angles, headWidth, pairing);
            }
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
