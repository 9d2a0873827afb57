using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// RWKV 7: every head holds a matrix in which directions fade and are replaced as the text says; values of later layers lean on those of
/// the first. Source: Peng et al., RWKV-7 "Goose", 2025. Read from files of rwkv.cpp and GGUF files.
/// </summary>
internal sealed class Rwkv7 : Architecture
{
    public override TensorNames Names(HyperParameters p)
    {
        var names = new TensorNames("")
            .Add("token_embd", "emb")
            .Add("token_embd_norm", "blocks.0.ln0")
            .Add("output_norm", "ln_out")
            .Add("output", "head")
            .Add("blk.*.attn_norm", "blocks.*.ln1")
            .Add("blk.*.attn_norm_2", "blocks.*.ln2")
            .Add("blk.*.time_mix_ln", "blocks.*.att.ln_x")
            .Add("blk.*.time_mix_output", "blocks.*.att.output")
            .Add("blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_rwkvag", shares => shares.RowCount == 6 ? shares with { Shape = [6, 1, 1, shares.Columns] } : shares)
            .Add("blk.*.channel_mix_lerp_k.weight", "blocks.*.ffn.x_k", Line)
            .Add("blk.*.channel_mix_key", "blocks.*.ffn.key")
            .Add("blk.*.channel_mix_value", "blocks.*.ffn.value");
        foreach (var input in (string[])["key", "value", "receptance"])
            names.Add($"blk.*.time_mix_{input}", $"blocks.*.att.{input}");
        foreach (var vector in (string[])["w0", "a0", "v0", "k_k", "k_a", "r_k"])
            names.Add($"blk.*.time_mix_{vector}.weight", $"blocks.*.att.{vector}", Line);
        foreach (var narrow in (string[])["w", "a", "v", "g"])
        {
            names.Add($"blk.*.time_mix_{narrow}1.weight", $"blocks.*.att.{narrow}1");
            names.Add($"blk.*.time_mix_{narrow}2.weight", $"blocks.*.att.{narrow}2");
        }
        return names;
    }

    // GGUF files have in the first layer, too, what makes values lean on those of the first, though nobody reads it: another tensor's numbers.
    public override TensorNames GgufNames(HyperParameters p)
    {
        var names = Names(p);
        foreach (var part in (string[])["0", "1", "2"])
        {
            names.Add($"blk.*.time_mix_v{part}.weight", $"blocks.*.att.a{part}", tensor => tensor.Name.StartsWith("blocks.0.", StringComparison.Ordinal)
                ? part == "0" ? Line(tensor) : tensor
                : throw new ModelFormatException($"{p.Path}: the tensor v{part} beside {ModelFormatException.Quote(tensor.Name)} is missing"));
        }
        return names;
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var headWidth = p.Int("wkv.head_size", "head_size");
        var epsilon = p.Float("attention.layer_norm_epsilon", "norm_eps", 1e-5f);
        NoteSizes(g, p, layers);
        if (width % headWidth != 0)
            throw new ModelFormatException($"{p.Path}: heads of {headWidth} don't divide a width of {width}");

        var x = g.LayerNorm(g.Embedding("token_embd", width), "token_embd_norm", epsilon);
        Node? firstValues = null;
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            x = g.Sum(x, TimeMix(g, g.LayerNorm(x, $"{block}.attn_norm", epsilon), $"{block}.time_mix", headWidth, ref firstValues));
            var h = g.TokenShift(g.LayerNorm(x, $"{block}.attn_norm_2", epsilon), Shares(g, $"{block}.channel_mix_lerp_k.weight", width));
            h = g.Linear(h, $"{block}.channel_mix_key", g.Weights.Rows($"{block}.channel_mix_key.weight"));
            x = g.Sum(x, g.Linear(g.Activate(h, ActivationKind.ReluSquared), $"{block}.channel_mix_value", width));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static Node TimeMix(GraphBuilder g, Node h, string name, int headWidth, ref Node? firstValues)
    {
        var width = h.Width;
        float[] Vector(string vector) => g.Weights.Vector($"{name}_{vector}.weight", width);
        var (r, w, k, v, a, gate) = Shifted(g, h, $"{name}_lerp_fused.weight");
        r = g.Linear(r, $"{name}_receptance", width);
        k = g.Linear(k, $"{name}_key", width);
        var fade = g.Activate(g.Bias(Narrow(g, w, name, "w", Tanh), Vector("w0")), ActivationKind.Sigmoid);
        var replaced = g.Activate(g.Bias(Narrow(g, a, name, "a"), Vector("a0")), ActivationKind.Sigmoid);
        var values = g.Linear(v, $"{name}_value", width);
        if (firstValues is not null)
        {
            var share = g.Activate(g.Bias(Narrow(g, v, name, "v"), Vector("v0")), ActivationKind.Sigmoid);
            values = g.Sum(values, g.Multiply(share, g.Sum(firstValues, g.Scale(values, -1))));
        }
        firstValues ??= values;
        var direction = g.L2Norm(g.ScaleColumns(k, Vector("k_k")), 1e-24f, headWidth);
        k = g.Sum(g.ScaleColumns(k, [.. Vector("k_a").Select(share => 1 - share)]), g.ScaleColumns(g.Multiply(k, replaced), Vector("k_a")));
        var y = g.LayerNorm(g.Wkv7(r, fade, k, values, direction, replaced, width / headWidth), null, headWidth * 1e-5f, headWidth);
        y = g.Bias(g.ScaleColumns(y, g.Weights.Vector($"{name}_ln.weight", width)), g.Weights.Vector($"{name}_ln.bias", width));
        var bonus = g.SpreadSums(g.ScaleColumns(g.Multiply(r, k), Vector("r_k")), headWidth);
        y = g.Sum(y, g.Multiply(bonus, values));
        return g.Linear(g.Multiply(y, Narrow(g, gate, name, "g", (graph, node) => graph.Activate(node, ActivationKind.Sigmoid))), $"{name}_output", width);
    }

    // Six mixes of each token with the one before.
    private static (Node R, Node W, Node K, Node V, Node A, Node G) Shifted(GraphBuilder g, Node h, string name)
    {
        var shares = Shares(g, name, 6 * h.Width);
        Node Mix(int index) => g.TokenShift(h, shares.AsSpan(index * h.Width, h.Width).ToArray());
        return (Mix(0), Mix(1), Mix(2), Mix(3), Mix(4), Mix(5));
    }

    private static Node Narrow(GraphBuilder g, Node x, string name, string part, Func<GraphBuilder, Node, Node>? between = null)
    {
        var node = g.Linear(x, $"{name}_{part}1", g.Weights.Rows($"{name}_{part}1.weight"));
        return g.Linear(between is null ? node : between(g, node), $"{name}_{part}2", x.Width);
    }

    // tanh x = 2 · sigmoid(2x) - 1
    private static Node Tanh(GraphBuilder g, Node x) =>
        g.Bias(g.Scale(g.Activate(g.Scale(x, 2), ActivationKind.Sigmoid), 2), [.. Enumerable.Repeat(-1f, x.Width)]);

    // Files have the share of the token before.
    private static float[] Shares(GraphBuilder g, string name, int length) => [.. g.Weights.Vector(name, length).Select(share => 1 - share)];

    private static StoredTensor Line(StoredTensor tensor) => tensor with { Shape = [tensor.RowCount * tensor.Columns] };

    // llama.cpp wants these to be said though the tensors tell.
    private static void NoteSizes(GraphBuilder g, HyperParameters p, int layers)
    {
        uint Rows(string tensor) => (uint)g.Weights.Rows(tensor);
        p.Note("feed_forward_length", Rows("blk.0.channel_mix_key.weight"));
        p.Note("attention.head_count", 0u);
        foreach (var (key, part) in ((string, string)[])[("decay", "w"), ("iclr", "a"), ("gate", "g")])
            p.Note($"attention.{key}_lora_rank", Rows($"blk.0.time_mix_{part}1.weight"));
        p.Note("attention.value_residual_mix_lora_rank", Rows(layers > 1 ? "blk.1.time_mix_v1.weight" : "blk.0.time_mix_a1.weight"));
        foreach (var unread in ((string[])["v0", "v1", "v2"]).Select(part => $"blk.0.time_mix_{part}.weight").Where(g.Weights.Has))
            _ = Rows(unread);
    }
}
