using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>SmolLM 3: Llama with every fourth layer free of positions (NoPE). Source: Yang et al., RoPE to NoPE and Back Again, 2025.</summary>
internal sealed class SmolLm3 : Architecture
{
    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var d = new DecoderParameters(p);
        // GGUF files hold query and key rows permuted so that neighbours are rotated.
        var pairing = p.IsGguf ? RotaryPairing.Neighbours : RotaryPairing.Halves;
        // GGUF files don't say which layers turn; all of this family leave out every fourth.
        var turns = p.FindNumbers("", "no_rope_layers") ?? [.. Enumerable.Range(1, d.Layers).Select(n => n % 4 == 0 ? 0.0 : 1.0)];
        if (turns.Length < d.Layers)
            throw p.Wrong("", "no_rope_layers", $"a list of {turns.Length} entries for {d.Layers} layers");
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon);
            var q = g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth);
            var k = g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            if (turns[layer] != 0)
            {
                q = g.Rope(q, angles, d.HeadWidth, pairing);
                k = g.Rope(k, angles, d.HeadWidth, pairing);
            }
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, d.Attention), $"{block}.attn_output", d.Width));
            h = g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, d.Hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
