using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
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
        var d = new DecoderParameters(p);
        var activation = ActivationNames.Read(p, "hidden_act", ActivationKind.ReluSquared);
        var angles = RopeScaling.Angles(g, p, d.RotaryWidth);
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

        var x = g.Embedding("token_embd", d.Width);
        for (var layer = 0; layer < d.Layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = Rounded(g.RmsNorm(x, $"{block}.attn_norm", d.Epsilon));
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", d.Heads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", d.KeyHeads * d.HeadWidth), angles, d.HeadWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", d.KeyHeads * d.HeadWidth);
            h = Rounded(g.RmsNorm(g.Attention(q, k, v, d.Attention), $"{block}.attn_sub_norm", d.Epsilon));
            x = g.Sum(x, g.Linear(h, $"{block}.attn_output", d.Width));
            h = Rounded(g.RmsNorm(x, $"{block}.ffn_norm", d.Epsilon));
            h = g.Gate(g.Linear(h, $"{block}.ffn_gate", d.Hidden), g.Linear(h, $"{block}.ffn_up", d.Hidden), activation);
            x = g.Sum(x, g.Linear(Rounded(g.RmsNorm(h, $"{block}.ffn_sub_norm", d.Epsilon)), $"{block}.ffn_down", d.Width));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", d.Epsilon)));
    }
}
