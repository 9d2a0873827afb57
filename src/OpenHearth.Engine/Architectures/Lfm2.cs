using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// LFM 2: most layers mix tokens by a gated convolution over the last three, a few by attention as in Qwen 3. Source: Liquid AI, LFM2 Technical Report, 2025.
/// </summary>
internal sealed class Lfm2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("token_embd_norm", "embedding_norm")
        .Replace("blk.*.attn_norm", "layers.*.operator_norm")
        .Replace("blk.*.attn_output", "layers.*.self_attn.out_proj")
        .Replace("blk.*.attn_q_norm", "layers.*.self_attn.q_layernorm")
        .Replace("blk.*.attn_k_norm", "layers.*.self_attn.k_layernorm")
        .Add("blk.*.shortconv.conv", "layers.*.conv.conv", tensor => tensor.Flatten(), tensor => tensor.Unflatten())
        .Add("blk.*.shortconv.in_proj", "layers.*.conv.in_proj")
        .Add("blk.*.shortconv.out_proj", "layers.*.conv.out_proj")
        .Replace("blk.*.ffn_norm", "layers.*.ffn_norm")
        .Replace("blk.*.ffn_gate", "layers.*.feed_forward.w1")
        .Replace("blk.*.ffn_up", "layers.*.feed_forward.w3")
        .Replace("blk.*.ffn_down", "layers.*.feed_forward.w2");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        // config.json has a width from which the model's class derives the real one.
        var hidden = g.Weights.Rows("blk.0.ffn_gate.weight");
        p.Note("feed_forward_length", "intermediate_size", (uint)hidden);
        p.Note("", "block_auto_adjust_ff_dim", false);
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Ints("attention.head_count_kv", "num_key_value_heads", layers, minimum: 0);
        // GGUF files tell a convolution by its having no key heads.
        var convolves = Enumerable.Range(0, layers).Select(layer => g.Weights.Has($"blk.{layer}.shortconv.conv.weight")).ToArray();
        p.Note("attention.head_count_kv", keyHeads.Select((count, layer) => convolves[layer] ? 0 : count).ToArray());
        p.Note("", "num_key_value_heads", keyHeads.Max());
        p.Note("", "layer_types", Array.ConvertAll(convolves, convolution => convolution ? "conv" : "full_attention"));
        p.Note("", "conv_bias", convolves.Select((convolution, layer) => convolution && g.Weights.Has($"blk.{layer}.shortconv.conv.bias")).Any(biased => biased));
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "norm_eps");
        var taps = p.Int("shortconv.l_cache", "conv_L_cache");
        var angles = RopeScaling.Angles(g, p, headWidth);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            x = g.Sum(x, convolves[layer]
                ? Convolution(g, h, $"{block}.shortconv", taps)
                : Attention(g, h, block, angles, epsilon, heads, keyHeads[layer], headWidth));
            h = g.RmsNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.GatedFeedForward(h, block, hidden));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "token_embd_norm", epsilon)));
    }

    // out(c · convolution(b · x)) with b, c and x from one matrix
    private static Node Convolution(GraphBuilder g, Node h, string name, int taps)
    {
        var b = g.Linear(h, $"{name}.in_proj", h.Width, 0, 3 * h.Width);
        var c = g.Linear(h, $"{name}.in_proj", h.Width, h.Width, 3 * h.Width);
        var x = g.Linear(h, $"{name}.in_proj", h.Width, 2 * h.Width, 3 * h.Width);
        return g.Linear(g.Multiply(c, g.ShortConvolution(g.Multiply(b, x), $"{name}.conv", taps)), $"{name}.out_proj", h.Width);
    }

    private static Node Attention(GraphBuilder g, Node h, string block, Node angles, float epsilon, int heads, int keyHeads, int headWidth)
    {
        // A GGUF file that calls this layer a convolution has no tensors for one.
        keyHeads = Math.Max(keyHeads, 1);
        var shape = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var q = g.RmsNorm(g.Linear(h, $"{block}.attn_q", heads * headWidth), $"{block}.attn_q_norm", epsilon, headWidth);
        var k = g.RmsNorm(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), $"{block}.attn_k_norm", epsilon, headWidth);
        q = g.Rope(q, angles, headWidth, RotaryPairing.Halves);
        k = g.Rope(k, angles, headWidth, RotaryPairing.Halves);
        var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
        return g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", h.Width);
    }
}
