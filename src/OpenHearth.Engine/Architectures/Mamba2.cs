using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Architectures;

/// <summary>Mamba 2: nothing but state spaces, without attention and feed-forward blocks. Source: Dao and Gu, "Transformers are SSMs", 2024.</summary>
internal sealed class Mamba2 : Architecture
{
    public override TensorNames Names(HyperParameters p) => Mamba2Mixer.Names(new TensorNames("backbone."), "layers.*.mixer", p.FindNumber("ssm.group_count", "n_groups"))
        .Add("token_embd", "embeddings")
        .Add("output_norm", "norm_f")
        .Add("output", "lm_head")
        .Add("blk.*.attn_norm", "layers.*.norm");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var heads = p.Int("ssm.time_step_rank", "num_heads");
        var headWidth = Mamba2Mixer.ReadHeadWidth(p, heads, "head_dim");
        // The model's class wants these to be said though the tensors tell.
        p.Note("", "expand", (double)heads * headWidth / width);
        p.Note("", "use_bias", g.Weights.Has("blk.0.ssm_in.bias"));
        p.Note("", "use_conv_bias", g.Weights.Has("blk.0.ssm_conv1d.bias"));
        p.Note("feed_forward_length", 0u);
        p.Note("attention.head_count", 0u);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "layer_norm_epsilon");
        var mixer = new Mamba2Mixer(heads, headWidth, p.Int("ssm.group_count", "n_groups"), p.Int("ssm.state_size", "state_size"), p.Int("ssm.conv_kernel", "conv_kernel"), epsilon);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            x = g.Sum(x, mixer.Forward(g, g.RmsNorm(x, $"{block}.attn_norm", epsilon), block));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
