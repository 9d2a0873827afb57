using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// RWKV 4: a fading mean of values in place of attention, and every block reads a mix of each token with the one before. Source: Peng et al., RWKV, 2023.
/// </summary>
internal sealed class Rwkv4 : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        var names = new TensorNames("rwkv.")
            .Add("token_embd", "embeddings")
            .Add("token_embd_norm", "blocks.0.pre_ln")
            .Add("output_norm", "ln_out")
            .Add("output", "head")
            .Add("blk.*.attn_norm", "blocks.*.ln1")
            .Add("blk.*.attn_norm_2", "blocks.*.ln2")
            .Add("blk.*.time_mix_output", "blocks.*.attention.output")
            .Add("blk.*.time_mix_decay", "blocks.*.attention.time_decay", logarithms => logarithms.Map(w => -MathF.Exp(w)))
            .Add("blk.*.time_mix_first", "blocks.*.attention.time_first");
        foreach (var input in (string[])["key", "value", "receptance"])
        {
            names.Add($"blk.*.time_mix_{input}", $"blocks.*.attention.{input}");
            names.Add($"blk.*.time_mix_lerp_{input}", $"blocks.*.attention.time_mix_{input}");
            names.Add($"blk.*.channel_mix_{input}", $"blocks.*.feed_forward.{input}");
            names.Add($"blk.*.channel_mix_lerp_{input}", $"blocks.*.feed_forward.time_mix_{input}");
        }
        return names;
    }

    public override string? WhyNoGguf => "no program has agreed on what such a file is like. The model runs as it is";

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var inner = p.Int("attention.inner_length", "attention_hidden_size", width, 1);
        var hidden = p.Int("feed_forward_length", "intermediate_size", checked(4 * width), 1);
        var epsilon = p.Float("attention.layer_norm_epsilon", "layer_norm_epsilon");

        var x = g.LayerNorm(g.Embedding("token_embd", width), "token_embd_norm", epsilon);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.LayerNorm(x, $"{block}.attn_norm", epsilon);
            Node Mixed(string part, string input, int size) => g.Linear(g.TokenShift(h, $"{block}.{part}_lerp_{input}"), $"{block}.{part}_{input}", size);
            var attended = g.Wkv(Mixed("time_mix", "key", inner), Mixed("time_mix", "value", inner), $"{block}.time_mix_decay", $"{block}.time_mix_first");
            x = g.Sum(x, g.Linear(g.Gate(Mixed("time_mix", "receptance", inner), attended, ActivationKind.Sigmoid), $"{block}.time_mix_output", width));
            h = g.LayerNorm(x, $"{block}.attn_norm_2", epsilon);
            var value = g.Linear(g.Activate(Mixed("channel_mix", "key", hidden), ActivationKind.ReluSquared), $"{block}.channel_mix_value", width);
            x = g.Sum(x, g.Gate(Mixed("channel_mix", "receptance", width), value, ActivationKind.Sigmoid));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
