using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Peers;

/// <summary>
/// Writes a Llama of a given shape whose weights are random: speed does not depend on their values, and nothing has to
/// be downloaded. A patch of normally distributed values is encoded once per row length and repeated, since encoding
/// 10^9 different values would take longer than the benchmark.
/// </summary>
internal static class RandomModel
{
    private const int PatchRows = 64;

    /// <summary>Writes the model into <paramref name="folder"/> unless it is there; returns its path.</summary>
    public static string Ensure(string folder, Shape shape, TensorType type)
    {
        var path = Path.Combine(folder, $"{shape.Name}-{type}.gguf");
        if (File.Exists(path))
            return path;
        Console.Error.WriteLine($"writing {path} …");
        Directory.CreateDirectory(folder);
        var writer = new GgufWriter();
        AddMetadata(writer, shape);
        AddTensors(writer, shape, type);
        writer.Write(path);
        return path;
    }

    private static void AddMetadata(GgufWriter writer, Shape shape)
    {
        writer.Add("general.architecture", shape.Architecture);
        writer.Add("general.name", shape.Name + " with random weights");
        writer.Add($"{shape.Architecture}.context_length", (uint)shape.Context);
        writer.Add($"{shape.Architecture}.embedding_length", (uint)shape.Hidden);
        writer.Add($"{shape.Architecture}.block_count", (uint)shape.Layers);
        writer.Add($"{shape.Architecture}.feed_forward_length", (uint)shape.FeedForward);
        writer.Add($"{shape.Architecture}.attention.head_count", (uint)shape.Heads);
        writer.Add($"{shape.Architecture}.attention.head_count_kv", (uint)shape.KvHeads);
        writer.Add($"{shape.Architecture}.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add($"{shape.Architecture}.rope.dimension_count", (uint)(shape.Hidden / shape.Heads));
        writer.Add($"{shape.Architecture}.rope.freq_base", shape.RopeTheta);
        writer.Add($"{shape.Architecture}.vocab_size", (uint)shape.Vocabulary);

        // A vocabulary that says nothing, because the peer refuses to load a model without one.
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.tokens", Enumerable.Range(0, shape.Vocabulary)
            .Select(i => i switch { 0 => "<unk>", 1 => "<s>", 2 => "</s>", < 259 => $"<0x{i - 3:X2}>", _ => $"t{i}" }).ToArray());
        writer.Add("tokenizer.ggml.scores", new float[shape.Vocabulary]);
        writer.Add("tokenizer.ggml.token_type", Enumerable.Range(0, shape.Vocabulary)
            .Select(i => i switch { 0 => 2, < 3 => 3, < 259 => 6, _ => 1 }).ToArray());
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
    }

    private static void AddTensors(GgufWriter writer, Shape shape, TensorType type)
    {
        var kv = shape.Hidden / shape.Heads * shape.KvHeads;
        Matrix("token_embd.weight", shape.Hidden, shape.Vocabulary);
        Norm("output_norm.weight");
        if (!shape.Tied)
            Matrix("output.weight", shape.Hidden, shape.Vocabulary);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var prefix = $"blk.{layer}.";
            Norm(prefix + "attn_norm.weight");
            Matrix(prefix + "attn_q.weight", shape.Hidden, shape.Hidden);
            Matrix(prefix + "attn_k.weight", shape.Hidden, kv);
            Matrix(prefix + "attn_v.weight", shape.Hidden, kv);
            Matrix(prefix + "attn_output.weight", shape.Hidden, shape.Hidden);
            Norm(prefix + "ffn_norm.weight");
            Matrix(prefix + "ffn_gate.weight", shape.Hidden, shape.FeedForward);
            Matrix(prefix + "ffn_up.weight", shape.Hidden, shape.FeedForward);
            Matrix(prefix + "ffn_down.weight", shape.FeedForward, shape.Hidden);
        }

        void Matrix(string name, int columns, int rows) =>
            writer.AddTensor(name, type, [columns, rows], stream => WriteMatrix(stream, type, columns, rows));

        void Norm(string name) => writer.AddTensor(name, TensorType.F32, [shape.Hidden], stream =>
        {
            Span<byte> one = stackalloc byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(one, 1);
            for (var i = 0; i < shape.Hidden; i++)
                stream.Write(one);
        });
    }

    private static void WriteMatrix(Stream stream, TensorType type, int columns, int rows)
    {
        var patch = Patch(type, columns);
        var rowBytes = patch.Length / PatchRows;
        for (var row = 0; row < rows; row++)
            stream.Write(patch, (row * 37 + row / PatchRows) % PatchRows * rowBytes, rowBytes);
    }

    private static byte[] Patch(TensorType type, int columns)
    {
        var random = new Random(columns);
        var values = new float[PatchRows * columns];
        for (var i = 0; i < values.Length; i++)
        {
            // Box and Muller, with the deviation that keeps activations of order 1.
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble()) / Math.Sqrt(columns));
        }
        var bytes = new byte[PatchRows * TensorTypes.RowBytes(type, columns)];
        // Some formats can't be written without knowing which columns matter; here all do alike.
        var format = BlockFormats.Get(type);
        float[] importance = format.NeedsImportance ? [.. Enumerable.Repeat(1f, columns)] : [];
        for (var row = 0; row < PatchRows; row++)
            format.Encode(values.AsSpan(row * columns, columns), importance, bytes.AsSpan(row * (bytes.Length / PatchRows), bytes.Length / PatchRows));
        return bytes;
    }
}
