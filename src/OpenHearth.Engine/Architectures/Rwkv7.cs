using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// RWKV 7: every head holds a matrix in which directions fade and are replaced as the text says; values of later layers lean on those of
/// the first. Source: Peng et al., RWKV-7 "Goose", 2025. Tensors of the Hugging Face form go by the names of flash-linear-attention, or by those
/// of rwkv.cpp in its files.
/// </summary>
internal sealed class Rwkv7 : Architecture
{
    private static readonly string[] Mixed = ["r", "w", "k", "v", "a", "g"]; // in the order in which their shares follow each other
    private static readonly string[] Lora = ["lora.2.bias", "lora.0.weight", "lora.2.weight"];

    public override TensorNames Names(HyperParameters p) => p.FindNumber("", "head_size") is null ? FlashLinearAttentionNames(HeadWidth(p)) : RwkvCppNames();

    private static TensorNames FlashLinearAttentionNames(int headWidth)
    {
        var names = new TensorNames()
            .Add("token_embd", "embeddings")
            .Add("token_embd_norm", "layers.0.pre_norm")
            .Add("output_norm", "norm")
            .Add("output", "lm_head")
            .Add("blk.*.attn_norm", "layers.*.attn_norm")
            .Add("blk.*.attn_norm_2", "layers.*.ffn_norm")
            .Add("blk.*.time_mix_ln", "layers.*.attn.g_norm")
            .Add("blk.*.time_mix_output", "layers.*.attn.o_proj")
            .Add("blk.*.time_mix_lerp_fused.weight", [.. Mixed.Select(input => $"layers.*.attn.x_{input}")], shares => Fused(StoredTensor.Stack(shares)), Share)
            .Add("blk.*.time_mix_lerp_fused.weight", "layers.*.attn.x_x", Fused) // before they stood apart
            .Add("blk.*.channel_mix_lerp_k.weight", "layers.*.ffn.x_k", Line, Line)
            .Add("blk.*.channel_mix_key", "layers.*.ffn.key")
            .Add("blk.*.channel_mix_value", "layers.*.ffn.value");
        foreach (var (canonical, foreign) in ((string, string)[])[("receptance", "r_proj"), ("key", "k_proj"), ("value", "v_proj")])
            names.Add($"blk.*.time_mix_{canonical}", $"layers.*.attn.{foreign}");
        names.Add("blk.*.time_mix_r_k.weight", "layers.*.attn.r_k", Line, line => line with { Shape = [line.RowCount * line.Columns / headWidth, headWidth] });
        foreach (var vector in (string[])["k_k", "k_a"])
            names.Add($"blk.*.time_mix_{vector}.weight", $"layers.*.attn.{vector}", Line, Line);
        foreach (var narrow in (string[])["w", "a", "v", "g"])
        {
            names.Add($"blk.*.time_mix_{narrow}0.weight", $"layers.*.attn.{narrow}_lora.{Lora[0]}", Line, Line);
            for (var part = 1; part < Lora.Length; part++)
                names.Add($"blk.*.time_mix_{narrow}{part}.weight", $"layers.*.attn.{narrow}_lora.{Lora[part]}");
        }
        foreach (var part in Lora)
            names.Ignore($"layers.0.attn.v_lora.{part}");
        return names;
    }

    private static TensorNames RwkvCppNames()
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
            .Add("blk.*.time_mix_lerp_fused.weight", "blocks.*.att.x_rwkvag", Fused)
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
        for (var i = 0; i < Lora.Length; i++)
        {
            var part = i;
            StoredTensor Stand(StoredTensor tensor) => tensor.Name.Contains("s.0.", StringComparison.Ordinal)
                ? part == 0 ? Line(tensor) : tensor
                : throw new ModelFormatException($"{p.Path}: the tensor v{part} beside {ModelFormatException.Quote(tensor.Name)} is missing");
            names.Add($"blk.*.time_mix_v{part}.weight", $"blocks.*.att.a{part}", Stand).Add($"blk.*.time_mix_v{part}.weight", $"layers.*.attn.a_lora.{Lora[part]}", Stand);
        }
        return names;
    }

    private static int HeadWidth(HyperParameters p) => p.Int("wkv.head_size", "head_dim|head_size");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var headWidth = HeadWidth(p);
        var epsilon = p.Float("attention.layer_norm_epsilon", "norm_eps", 1e-5f);
        // GGUF files don't say it of the norm of heads.
        var headEpsilon = headWidth * (p.IsGguf ? 1e-5f : epsilon);
        NoteSizes(g, p, layers, width);
        if (p.FindText("", "hidden_act") is { } activation and not "sqrelu")
            throw p.Wrong("", "hidden_act", ModelFormatException.Quote(activation));
        if (width % headWidth != 0)
            throw new ModelFormatException($"{p.Path}: heads of {headWidth} don't divide a width of {width}");

        var x = g.LayerNorm(g.Embedding("token_embd", width), "token_embd_norm", epsilon);
        Node? firstValues = null;
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            x = g.Sum(x, TimeMix(g, g.LayerNorm(x, $"{block}.attn_norm", epsilon), $"{block}.time_mix", headWidth, headEpsilon, ref firstValues));
            var h = g.TokenShift(g.LayerNorm(x, $"{block}.attn_norm_2", epsilon), Shares(g, $"{block}.channel_mix_lerp_k.weight", width));
            h = g.Linear(h, $"{block}.channel_mix_key", g.Weights.Rows($"{block}.channel_mix_key.weight"));
            x = g.Sum(x, g.Linear(g.Activate(h, ActivationKind.ReluSquared), $"{block}.channel_mix_value", width));
        }
        return g.Build(g.Head(g.LayerNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static Node TimeMix(GraphBuilder g, Node h, string name, int headWidth, float epsilon, ref Node? firstValues)
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
        var y = g.LayerNorm(g.Wkv7(r, fade, k, values, direction, replaced, width / headWidth), null, epsilon, headWidth);
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

    private static StoredTensor Line(StoredTensor tensor) => tensor.Line();

    private static StoredTensor Fused(StoredTensor shares) => shares.RowCount == Mixed.Length ? shares with { Shape = [Mixed.Length, 1, 1, shares.Columns] } : shares;

    private static StoredTensor Share(StoredTensor shares, int input)
    {
        var width = shares.RowCount * shares.Columns / Mixed.Length;
        return (shares with { Shape = [Mixed.Length, width] }).Rows(input, 1) with { Shape = [1, 1, width] };
    }

    // llama.cpp wants these to be said though the tensors tell, and so does the class of flash-linear-attention.
    private static void NoteSizes(GraphBuilder g, HyperParameters p, int layers, int width)
    {
        uint Rows(string tensor) => (uint)g.Weights.Rows(tensor);
        var hidden = Rows("blk.0.channel_mix_key.weight");
        p.Note("feed_forward_length", "intermediate_size", hidden);
        p.Note("", "hidden_ratio", (double)hidden / width);
        p.Note("", "hidden_act", "sqrelu");
        p.Note("", "value_dim", Enumerable.Repeat(width, layers).ToArray());
        p.Note("attention.head_count", 0u);
        foreach (var (key, name, part) in ((string, string, string)[])[("decay", "decay", "w"), ("iclr", "a", "a"), ("gate", "gate", "g")])
            p.Note($"attention.{key}_lora_rank", $"{name}_low_rank_dim", Rows($"blk.0.time_mix_{part}1.weight"));
        p.Note("attention.value_residual_mix_lora_rank", "v_low_rank_dim", Rows(layers > 1 ? "blk.1.time_mix_v1.weight" : "blk.0.time_mix_a1.weight"));
        foreach (var unread in ((string[])["v0", "v1", "v2"]).Select(part => $"blk.0.time_mix_{part}.weight").Where(g.Weights.Has))
            _ = Rows(unread);
    }
}
