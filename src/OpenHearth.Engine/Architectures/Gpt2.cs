using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>GPT-2: learned positions, layer norms and biases everywhere. Source: Radford et al., 2019.</summary>
internal sealed class Gpt2 : Architecture
{
    // Hugging Face keeps these matrices as inputs times outputs.
    public override TensorNames Names(HyperParameters p) => new TensorNames("transformer.")
        .Add("token_embd", "wte")
        .Add("position_embd", "wpe")
        .Add("output", "lm_head")
        .Add("output_norm", "ln_f")
        .Add("blk.*.attn_norm", "h.*.ln_1")
        .Add("blk.*.attn_qkv", "h.*.attn.c_attn", Transpose, Transpose)
        .Add("blk.*.attn_output", "h.*.attn.c_proj", Transpose, Transpose)
        .Add("blk.*.ffn_norm", "h.*.ln_2")
        .Add("blk.*.ffn_up", "h.*.mlp.c_fc", Transpose, Transpose)
        .Add("blk.*.ffn_down", "h.*.mlp.c_proj", Transpose, Transpose);

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers("n_layer");
        var width = p.Int("embedding_length", "n_embd");
        var hidden = p.Int("feed_forward_length", "n_inner", checked(4 * width), 1);
        var heads = p.Int("attention.head_count", "n_head");
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");
        var headWidth = p.HeadWidth(width, heads);
        var shape = new AttentionShape { Heads = heads, KeyHeads = heads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };

        var x = g.Sum(g.Embedding("token_embd", width), g.PositionEmbedding("position_embd", p.Int("context_length", "n_positions"), width));
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            var (q, k, v) = g.QueryKeyValue(h, $"{block}.attn_qkv", heads, heads, headWidth);
            x = g.Sum(x, g.Linear(g.Attention(q, k, v, shape), $"{block}.attn_output", width));
            h = g.LayerNorm(x, $"{block}.ffn_norm", epsilon);
            x = g.Sum(x, g.FeedForward(h, block, hidden, ActivationKind.GeluTanh));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static StoredTensor Transpose(StoredTensor tensor) => tensor.Shape.Length == 2 ? tensor.Transpose() : tensor;
}
