using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Architectures;

/// <summary>
/// gpt-oss: every other layer sees a window, each head has a sink that takes attention away from the text, and experts in
/// MXFP4 have biases and a clamped SwiGLU. Source: OpenAI, gpt-oss-120b and gpt-oss-20b model card, 2025.
/// </summary>
internal sealed class GptOss : Architecture
{
    // Hugging Face interleaves gate and up. Fine-tuned models often come unpacked, with inputs before outputs.
    public override TensorNames Names(HyperParameters p) => TensorNames.Llama()
        .Add("blk.*.post_attention_norm", "layers.*.post_attention_layernorm")
        .Add("blk.*.attn_sinks.weight", "layers.*.self_attn.sinks")
        .Add("blk.*.ffn_gate_inp", "layers.*.mlp.router")
        .Add("blk.*.ffn_gate_exps.weight", "layers.*.mlp.experts.gate_up_proj_blocks", "layers.*.mlp.experts.gate_up_proj_scales", (blocks, scales) => Mxfp4(blocks, scales, 0, 2))
        .Add("blk.*.ffn_up_exps.weight", "layers.*.mlp.experts.gate_up_proj_blocks", "layers.*.mlp.experts.gate_up_proj_scales", (blocks, scales) => Mxfp4(blocks, scales, 1, 2))
        .Add("blk.*.ffn_down_exps.weight", "layers.*.mlp.experts.down_proj_blocks", "layers.*.mlp.experts.down_proj_scales", (blocks, scales) => Mxfp4(blocks, scales, 0, 1))
        .Join("layers.*.mlp.experts.gate_up_proj", ColumnsInTurns, ("blk.*.ffn_gate_exps.weight", tensor => EveryOtherColumn(tensor, 0)), ("blk.*.ffn_up_exps.weight", tensor => EveryOtherColumn(tensor, 1)))
        .Join("layers.*.mlp.experts.down_proj", parts => parts[0].Transpose(), ("blk.*.ffn_down_exps.weight", tensor => tensor.Transpose()))
        .Join("layers.*.mlp.experts.gate_up_proj_bias", InTurns, ("blk.*.ffn_gate_exps.bias", tensor => EveryOther(tensor, 0)), ("blk.*.ffn_up_exps.bias", tensor => EveryOther(tensor, 1)))
        .Add("blk.*.ffn_down_exps.bias", "layers.*.mlp.experts.down_proj_bias");

    public override ModelGraph Build(GraphBuilder g, HyperParameters p)
    {
        var layers = p.Layers();
        var width = p.Int("embedding_length", "hidden_size");
        var hidden = p.Int("expert_feed_forward_length", "intermediate_size");
        p.Note("feed_forward_length", (uint)hidden);
        var heads = p.Int("attention.head_count", "num_attention_heads");
        var keyHeads = p.Int("attention.head_count_kv", "num_key_value_heads", heads, 1);
        var headWidth = p.Int("attention.key_length", "head_dim", width / heads, 1);
        var epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps");
        var experts = p.Int("expert_count", "num_local_experts");
        var router = new RouterShape { Used = p.Int("expert_used_count", "num_experts_per_tok|experts_per_token"), Renormalise = true };
        if (p.Float("", "swiglu_limit", Activation.ClampedSwishLimit) is not Activation.ClampedSwishLimit and var limit)
            throw p.Wrong("", "swiglu_limit", limit);
        var full = new AttentionShape { Heads = heads, KeyHeads = keyHeads, KeyWidth = headWidth, ValueWidth = headWidth, Scale = 1 / MathF.Sqrt(headWidth) };
        var windowed = full with { Window = p.Int("attention.sliding_window", "sliding_window") };
        var types = p.FindTexts("", "layer_types");
        if (types is not null && types.Length < layers)
            throw p.Wrong("", "layer_types", $"a list of {types.Length} entries for {layers} layers");
        p.Note("", "layer_types", Enumerable.Range(0, layers).Select(layer => HasWindow(types, layer) ? "sliding_attention" : "full_attention").ToArray());
        // A class that isn't told scales by itself, and doesn't round; GGUF files don't say it: llama.cpp rounds.
        var rope = p.Rope();
        p.Note("", "rope_scaling.rope_type", rope?.Type ?? "default");
        if (rope is { Type: "yarn" })
            p.Note("", "rope_scaling.truncate", rope.Truncate);
        var angles = RopeScaling.Angles(g, p, headWidth);

        var x = g.Embedding("token_embd", width);
        for (var layer = 0; layer < layers; layer++)
        {
            var block = $"blk.{layer}";
            var h = g.RmsNorm(x, $"{block}.attn_norm", epsilon);
            var q = g.Rope(g.Linear(h, $"{block}.attn_q", heads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var k = g.Rope(g.Linear(h, $"{block}.attn_k", keyHeads * headWidth), angles, headWidth, RotaryPairing.Halves);
            var v = g.Linear(h, $"{block}.attn_v", keyHeads * headWidth);
            var attended = g.Attention(q, k, v, HasWindow(types, layer) ? windowed : full, g.Weights.Vector($"{block}.attn_sinks.weight", heads));
            x = g.Sum(x, g.Linear(attended, $"{block}.attn_output", width));
            h = g.RmsNorm(x, $"{block}.post_attention_norm", epsilon);
            var routing = g.Router(g.Linear(h, $"{block}.ffn_gate_inp", experts), router);
            x = g.Sum(x, g.Experts(h, routing, block, experts, hidden, ActivationKind.ClampedSwish));
        }
        return g.Build(g.Head(g.RmsNorm(g.OutputRows(x), "output_norm", epsilon)));
    }

    private static bool HasWindow(string[]? types, int layer) => types is null ? layer % 2 == 0 : types[layer] == "sliding_attention";

    // blocks [experts, rows, groups, 16] and scales [experts, rows, groups] to every step-th row, in the blocks of a GGUF file
    private static StoredTensor Mxfp4(StoredTensor blocks, StoredTensor scales, int first, int step)
    {
        if (blocks.Shape is not [var experts, var rows, var groups, 16] || blocks.Type != TensorType.U8 || scales.Type != TensorType.U8 || !scales.Shape.AsSpan().SequenceEqual([experts, rows, groups]) || rows % step != 0)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(blocks.Name)} has shape [{string.Join(", ", blocks.Shape)}] and scales [{string.Join(", ", scales.Shape)}], expected bytes of [experts, rows, groups, 16] and [experts, rows, groups]");
        var (packedBytes, scaleBytes, rowBytes) = (checked((int)(16 * groups)), (int)groups, checked((int)(17 * groups)));
        var buffer = new NativeBuffer<byte>(experts * (rows / step) * rowBytes);
        for (var (from, to) = ((long)first, 0L); from < experts * rows; from += step, to++)
            Fp4Rows.ToBlocks(blocks.Data.Span(from * packedBytes, packedBytes), scales.Data.Span(from * scaleBytes, scaleBytes), buffer.Slice(to * rowBytes, rowBytes));
        return new StoredTensor(blocks.Name, TensorType.MXFP4, [experts, rows / step, 32 * groups], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    // [experts, width, 2 · hidden] to [experts, hidden, width]
    private static StoredTensor EveryOtherColumn(StoredTensor tensor, int first)
    {
        var half = EveryOther(tensor, first);
        using (half.Owner)
            return half.Transpose();
    }

    // of one expert, the reverse: [1, hidden, width] twice to [1, width, 2 · hidden]
    private static StoredTensor ColumnsInTurns(StoredTensor[] parts)
    {
        var (gate, up) = (parts[0].Transpose(), parts[1].Transpose());
        using (gate.Owner)
        using (up.Owner)
            return InTurns([gate, up]);
    }

    // F32 as joins have it
    private static StoredTensor InTurns(StoredTensor[] parts)
    {
        var (gate, up) = (parts[0].Data, parts[1].Data);
        if (gate.Length != up.Length)
            throw new ModelFormatException($"tensors {ModelFormatException.Quote(parts[0].Name)} and {ModelFormatException.Quote(parts[1].Name)} differ in size");
        var buffer = new NativeBuffer<byte>(checked(2 * gate.Length));
        for (var i = 0L; i < gate.Length; i += sizeof(float))
        {
            gate.Span(i, sizeof(float)).CopyTo(buffer.Slice(2 * i, sizeof(float)));
            up.Span(i, sizeof(float)).CopyTo(buffer.Slice((2 * i) + sizeof(float), sizeof(float)));
        }
        return new StoredTensor(parts[0].Name, TensorType.F32, [.. parts[0].Shape[..^1], 2 * parts[0].Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    private static StoredTensor EveryOther(StoredTensor tensor, int first)
    {
        var size = TensorTypes.BlockBytes(tensor.Type);
        if (tensor.Columns % 2 != 0 || TensorTypes.BlockSize(tensor.Type) != 1)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} of type {tensor.Type} and shape [{string.Join(", ", tensor.Shape)}] can't hold gate and up in turns");
        var count = checked(tensor.RowCount * tensor.Columns) / 2;
        var buffer = new NativeBuffer<byte>(count * size);
        for (var i = 0L; i < count; i++)
            tensor.Data.Span(((2 * i) + first) * size, size).CopyTo(buffer.Slice(i * size, size));
        return new StoredTensor(tensor.Name, tensor.Type, [.. tensor.Shape[..^1], tensor.Columns / 2], MemoryRegion.Of(buffer)) { Owner = buffer };
    }
}
