using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// BitNet b1.58 2B-4T: matrices of -1, 0 and 1 times one scale, activations of 8 bits before each of them, squared ReLU, and a norm
/// inside each block before its last product. Source: Ma et al., BitNet b1.58 2B4T Technical Report, 2025.
/// </summary>
internal sealed class BitNet : Architecture
{
    private static readonly (string Canonical, string HuggingFace)[] Ternary =
    [
        ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
        ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
    ];

    // The family's GGUF files don't say how they were trained, which is with 8; those made here of plain checkpoints do.
    private const int TrainedBits = 8, UnroundedBits = 32;

    public override TensorNames Names(HyperParameters p)
    {
        var names = TensorNames.Llama()
            .Add("blk.*.attn_sub_norm", "layers.*.self_attn.attn_sub_norm")
            .Add("blk.*.ffn_sub_norm", "layers.*.mlp.ffn_sub_norm");
        if (p.FindText("", "quantization_config.quant_method") != "bitnet")
            return names;
        if (p.FindText("", "quantization_config.quantization_mode") == "online")
            throw new ModelFormatException($"{p.Path}: \"quantization_mode\" 'online': the file has the weights from before they became ternary; use the model's packed form or a GGUF file");
        var divides = p.FindText("", "quantization_config.linear_class") != "autobitlinear";
        foreach (var (canonical, foreign) in Ternary)
        {
            names.Add($"blk.*.{canonical}.weight", [$"layers.*.{foreign}.weight", $"layers.*.{foreign}.weight_scale"],
                packed => PackedTernary.Unpack(packed[0], packed[1], divides), PackedTernary.Pack, keepsTypes: true);
        }
        return names;
    }

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("feed_forward_length", "intermediate_size");
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.ReluSquared);
        var shape = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var angles = RopeScaling.Angles(g, p, headWidth);
        var bits = p.IsGguf ? p.Int("activation_bits", "", TrainedBits, 1) : p.FindText("", "quantization_config.quant_method") == "bitnet" ? TrainedBits : UnroundedBits;
        if (bits is not (TrainedBits or UnroundedBits))
            throw p.Wrong("activation_bits", "", bits);
        p.Note("activation_bits", (uint)bits);
        if (bits == TrainedBits)
        {
            // Of packed matrices, whose scales are factors: the only ones for which a class rounds activations and leaves weights as they are.
            p.Note("", "quantization_config.quant_method", "bitnet");
            p.Note("", "quantization_config.linear_class", "autobitlinear");
            p.Note("", "quantization_config.quantization_mode", "offline");
        }
        Node Rounded(Node value) => bits == TrainedBits ? g.RoundToBytes(value) : value;

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = Rounded(g.RmsNorm(x, $"{block}.attn_norm", epsilon));
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", heads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            h = Rounded(g.RmsNorm(g.Attention(q, k, v, shape), $"{block}.attn_sub_norm", epsilon));
            x = g.Sum(x, g.Linear(h, $"{block}.attn_output", width));
            h = Rounded(g.RmsNorm(x, $"{block}.ffn_norm", epsilon));
            h = g.Gate(g.Linear(h, $"{block}.ffn_gate", hidden), g.Linear(h, $"{block}.ffn_up", hidden), activation);
            x = g.Sum(x, g.Linear(Rounded(g.RmsNorm(h, $"{block}.ffn_sub_norm", epsilon)), $"{block}.ffn_down", width));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }
}
