using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// Sizes of multi-head latent attention. The keys and values of all heads are products of one small latent vector, so the
/// cache holds that and the part of the key that turns, and the products move to the other side: queries are taken into the
/// latent space, results out of it. Source: DeepSeek-V2, 2024, section 2.1.
/// </summary>
internal sealed record LatentShape
{
    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Values of the latent vector.</summary>
    public required int Latent { get; init; }

    /// <summary>Values of a query or key head without position.</summary>
    public required int Plain { get; init; }

    /// <summary>Values of a query or key head that turn; all heads share those of the key.</summary>
    public required int Turning { get; init; }

    /// <summary>Values of a result head.</summary>
    public required int ValueWidth { get; init; }

    /// <summary>Factor of every score.</summary>
    public required float Scale { get; init; }

    /// <summary>Of the norms of latent vectors.</summary>
    public required float Epsilon { get; init; }

    /// <summary>Reads the sizes.</summary>
    /// <param name="p">What the model says of itself.</param>
    public static LatentShape Read(HyperParameters p)
    {
        // GGUF files that keep the two halves of kv_b apart have the sizes of the latent space under the usual keys.
        var turning = p.Int("rope.dimension_count", "qk_rope_head_dim");
        var key = p.FindInt("attention.key_length_mla", "") ?? p.FindInt("attention.key_length", "") ?? checked(p.Int("", "qk_nope_head_dim") + turning);
        var shape = new LatentShape
        {
            Heads = p.Int("attention.head_count", "num_attention_heads"),
            Latent = p.Int("attention.kv_lora_rank", "kv_lora_rank"),
            Plain = key > turning ? key - turning : throw p.Wrong("attention.key_length", "qk_nope_head_dim", key),
            Turning = turning,
            ValueWidth = p.FindInt("attention.value_length_mla", "") ?? p.Int("attention.value_length", "v_head_dim"),
            Scale = 1 / MathF.Sqrt(key),
            Epsilon = p.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
        };
        // Here its tensors tell; a class that isn't told of none has one.
        if (p.FindInt("attention.q_lora_rank", "q_lora_rank") is null)
            p.Note("", "q_lora_rank", null);
        p.Note("attention.head_count_kv", 1u);
        p.Note("", "num_key_value_heads", (uint)shape.Heads);
        p.Note("", "qk_nope_head_dim", (uint)shape.Plain);
        p.Note("", "v_head_dim", (uint)shape.ValueWidth);
        p.Note("attention.key_length", (uint)(shape.Latent + shape.Turning));
        p.Note("attention.value_length", (uint)shape.Latent);
        p.Note("attention.key_length_mla", (uint)key);
        p.Note("attention.value_length_mla", (uint)shape.ValueWidth);
        return shape;
    }

    /// <summary>Adds what the Hugging Face form calls the tensors.</summary>
    public static TensorNames AddNames(TensorNames names, HyperParameters p) => names
        .Add("blk.*.attn_q_a", "layers.*.self_attn.q_a_proj")
        .Add("blk.*.attn_q_a_norm", "layers.*.self_attn.q_a_layernorm")
        .Add("blk.*.attn_q_b", "layers.*.self_attn.q_b_proj")
        .Add("blk.*.attn_kv_a_mqa", "layers.*.self_attn.kv_a_proj_with_mqa")
        .Add("blk.*.attn_kv_a_norm", "layers.*.self_attn.kv_a_layernorm")
        .Join("layers.*.self_attn.kv_b_proj.weight", KeysAboveValues, ("blk.*.attn_k_b.weight", tensor => Read(p).Keys(tensor)), ("blk.*.attn_v_b.weight", tensor => Read(p).Values(tensor)))
        .Add("blk.*.attn_kv_b", "layers.*.self_attn.kv_b_proj"); // GGUF files from before 2025

    // of one head: [1, latent, plain] and [1, valueWidth, latent] to [plain + valueWidth, latent]
    private static StoredTensor KeysAboveValues(StoredTensor[] parts)
    {
        var keys = parts[0].Transpose();
        using (keys.Owner)
            return TensorJoin.Below(keys, parts[1]).Flatten();
    }

    // [heads, latent, plain]; kv_b has it the other way round, above the head's values
    private StoredTensor Keys(StoredTensor tensor)
    {
        var rows = OfEachHead(tensor, 0, Plain);
        using (rows.Owner)
            return rows.Transpose();
    }

    // [heads, valueWidth, latent]
    private StoredTensor Values(StoredTensor tensor) => OfEachHead(tensor, Plain, ValueWidth);

    private StoredTensor OfEachHead(StoredTensor tensor, int first, int count)
    {
        var each = Plain + ValueWidth;
        if (tensor.RowCount != (long)Heads * each)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} has shape [{string.Join(", ", tensor.Shape)}], expected {Heads} heads of {each} rows");
        var bytes = checked((int)TensorTypes.RowBytes(tensor.Type, tensor.Columns));
        var buffer = new NativeBuffer<byte>((long)Heads * count * bytes);
        for (var row = 0L; row < (long)Heads * count; row++)
            tensor.Data.Span(((row / count * each) + first + (row % count)) * bytes, bytes).CopyTo(buffer.Slice(row * bytes, bytes));
        return new StoredTensor(tensor.Name, tensor.Type, [Heads, count, tensor.Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }
}

internal static partial class GraphOps
{
    /// <summary>Multi-head latent attention, from the norm before it to what <c>attn_output</c> reads.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, width]</param>
    /// <param name="block">Canonical name of the layer.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="angles">From <see cref="RopeAngles"/>, as wide as the part that turns; null where nothing does</param>
    /// <param name="pairing">Which values are rotated together.</param>
    /// <returns>[tokens, heads · valueWidth]</returns>
    public static Node LatentAttention(this GraphBuilder graph, Node x, string block, LatentShape shape, Node? angles, RotaryPairing pairing)
    {
        var (heads, latent, plain, turning) = (shape.Heads, shape.Latent, shape.Plain, shape.Turning);
        Node Turn(Node node) => angles is null ? node : graph.Rope(node, angles, turning, pairing);
        var queries = graph.LatentQueries(x, block, shape);
        var queriesPlain = graph.HeadsLinear(graph.Columns(queries, plain + turning, 0, plain), graph.KeysOfLatent(block, shape));
        var queriesTurning = Turn(graph.Columns(queries, plain + turning, plain, turning));
        var shared = graph.RmsNorm(graph.Linear(x, $"{block}.attn_kv_a_mqa", latent, 0, latent + turning), $"{block}.attn_kv_a_norm", shape.Epsilon);
        var keyTurning = Turn(graph.Linear(x, $"{block}.attn_kv_a_mqa", turning, latent, latent + turning));
        var attention = new AttentionShape
        {
            Heads = heads,
            KeyHeads = 1,
            KeyWidth = latent + turning,
            ValueWidth = latent,
            Scale = shape.Scale,
            ValuesInKeys = true,
        };
        var attended = graph.Attention(graph.Join(queriesPlain, queriesTurning, heads), graph.Join(shared, keyTurning, 1), null, attention);
        return graph.HeadsLinear(attended, graph.ValuesOfLatent(block, shape));
    }

    // Large models make queries, too, from a smaller vector.
    private static Node LatentQueries(this GraphBuilder graph, Node x, string block, LatentShape shape)
    {
        var width = checked(shape.Heads * (shape.Plain + shape.Turning));
        if (!graph.Weights.Has($"{block}.attn_q_a.weight"))
            return graph.Linear(x, $"{block}.attn_q", width);
        var small = graph.Linear(x, $"{block}.attn_q_a", graph.Weights.Rows($"{block}.attn_q_a.weight"));
        return graph.Linear(graph.RmsNorm(small, $"{block}.attn_q_a_norm", shape.Epsilon), $"{block}.attn_q_b", width);
    }

    // [latent, plain] of each head; kv_b has it the other way round, above the head's values
    private static Weight[] KeysOfLatent(this GraphBuilder graph, string block, LatentShape shape) => graph.Weights.Has($"{block}.attn_k_b.weight")
        ? graph.Weights.Stack($"{block}.attn_k_b.weight", shape.Heads, shape.Latent, shape.Plain, 0, shape.Latent)
        : graph.Weights.StackTransposed($"{block}.attn_kv_b.weight", shape.Heads, shape.Plain, shape.Latent, 0, shape.Plain + shape.ValueWidth);

    // [valueWidth, latent] of each head
    private static Weight[] ValuesOfLatent(this GraphBuilder graph, string block, LatentShape shape) => graph.Weights.Has($"{block}.attn_v_b.weight")
        ? graph.Weights.Stack($"{block}.attn_v_b.weight", shape.Heads, shape.ValueWidth, shape.Latent, 0, shape.ValueWidth)
        : graph.Weights.Stack($"{block}.attn_kv_b.weight", shape.Heads, shape.ValueWidth, shape.Latent, shape.Plain, shape.Plain + shape.ValueWidth);
}
