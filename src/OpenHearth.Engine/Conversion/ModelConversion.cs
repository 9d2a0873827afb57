using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Conversion;

/// <summary>
/// Writes a model as a GGUF file, or a GGUF file as a folder of safetensors, its matrices in another type; all that the model says of itself,
/// tokenizer and chat template with it, goes along.
/// Vectors, norms, routers and other tensors that every engine wants as they are keep their type, or become F32 where the model is no GGUF file.
/// A matrix whose rows are no whole blocks of the type becomes F16, as in llama.cpp. Memory is bounded: rows are converted a few at a time.
/// </summary>
public static class ModelConversion
{
    private const long ShardBytes = 5_000_000_000; // as Hugging Face's own library

    // Small tensors that kernels take in F32, with the names of llama.cpp's converter; and all that is no weight, such as biases of experts.
    private static readonly string[] Kept = ["_norm", "ffn_gate_inp", "position_embd", "token_types", "ssm_conv1d", "shortconv.conv", "rope_f"];
    private static readonly string[] LargeOfTimeMix = ["time_mix_key", "time_mix_value", "time_mix_receptance", "time_mix_gate", "time_mix_output"];
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };
    private static readonly string[] Replaced = ["general.alignment", "general.file_type", "general.quantization_version"];

    /// <summary>Converts a model. A conversion that was stopped is gone on with where the same one is asked for again.</summary>
    /// <param name="model">A GGUF file; of a split one any part, and the result is whole; experts that it has one by one are stacked. Or a safetensors file, index or folder.</param>
    /// <param name="output">
    /// The file to write, one that is there is replaced when the new one is whole; or, where the name doesn't end in .gguf, the folder, which is
    /// a model when it has a config.json, and has to be new, empty, or one where a conversion was stopped.
    /// </param>
    /// <param name="type">What matrices become.</param>
    /// <param name="progress">Told of every tensor, on the calling thread.</param>
    /// <param name="cancellation">Stops it; what is written stays beside the output as a <c>.partial</c> file.</param>
    /// <returns>Bytes of the GGUF file, or of the files of tensors in the folder.</returns>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    /// <exception cref="ModelFormatException">The model is damaged.</exception>
    /// <exception cref="NotSupportedException">The model can't be a GGUF file, or it is not proven that it can.</exception>
    /// <exception cref="IOException">The output can't be written, or is the model itself.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static long Convert(string model, string output, ConversionType type, Action<ConversionProgress>? progress = null, CancellationToken cancellation = default) =>
        Convert(model, output, type, ShardBytes, progress, cancellation);

    /// <inheritdoc cref="Convert(string, string, ConversionType, Action{ConversionProgress}?, CancellationToken)"/>
    internal static long Convert(string model, string output, ConversionType type, long shardBytes, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        using var source = ModelSource.Open(model, exact: true, surveys: true);
        var target = Path.GetFullPath(output);
        if (source.Files.Any(file => Path.GetFullPath(file) == target))
            throw new IOException($"{output} is the model that is to be converted; give another name.");
        if (!output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            return WriteFolder(source, target, type, shardBytes, progress, cancellation);
        if (Directory.Exists(target))
            throw new IOException($"{output} is a folder; give the name of a file.");
        if (Path.GetDirectoryName(target) is { } parent && !Directory.Exists(parent))
            throw new DirectoryNotFoundException($"There is no folder {parent} to write {Path.GetFileName(target)} to.");
        using var form = source is GgufSource ? null : GgufForm.Of(source);
        var writer = new GgufWriter();
        if (source is GgufSource gguf)
            Copy(gguf, writer, type, progress);
        else
            Add(form!, writer, type, progress);
        writer.Write(output, Origin(source), cancellation);
        return new FileInfo(output).Length;
    }

    private static long WriteFolder(ModelSource source, string folder, ConversionType type, long shardBytes, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        if (source is not GgufSource gguf)
            throw new NotSupportedException($"{source.Path} is safetensors already; name a file that ends in .gguf.");
        if (TensorTypes.BlockSize(type.Type) != 1)
            throw new NotSupportedException($"Safetensors files have no type {type.Name}; take f32, f16 or bf16, or name a file that ends in .gguf.");
        if (File.Exists(folder) || File.Exists(Path.Combine(folder, "config.json")))
            throw new IOException($"{folder} is there already; name another folder, or a file that ends in .gguf.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() && !SafetensorsWriter.HasBegun(folder))
            throw new IOException($"{folder} has other files in it, and no conversion that was stopped; name a new folder, or empty this one.");
        using var form = HuggingFaceForm.Of(gguf);
        var files = TokenizerFiles.Of(gguf, form.IsEncoder).Concat(PoolingFiles.Of(gguf));
        Directory.CreateDirectory(folder);
        var writer = new SafetensorsWriter { Metadata = { ["format"] = "pt" } };
        var number = 0;
        foreach (var (name, tensor) in form.Tensors)
        {
            writer.AddTensor(name, tensor.KeepsType ? tensor.Surveyed!.Type : type.Type, tensor.Shape, stream =>
            {
                progress?.Invoke(new ConversionProgress(name, ++number, form.Tensors.Count));
                form.Write(tensor, type.Type, stream);
            });
        }
        form.Config["torch_dtype"] = type.Type switch { TensorType.F32 => "float32", TensorType.F16 => "float16", _ => "bfloat16" };
        return writer.WriteSharded(folder, shardBytes, Origin(source), files.Append(new("config.json", JsonSerializer.SerializeToUtf8Bytes(form.Config, Readable))), cancellation);
    }

    private static void Copy(GgufSource source, GgufWriter writer, ConversionType type, Action<ConversionProgress>? progress)
    {
        var file = source.File;
        foreach (var key in file.Metadata.Keys)
        {
            if (!Replaced.Contains(key) && !key.StartsWith("split.", StringComparison.Ordinal))
                writer.Add(key, file.Metadata.TryGet(key, out var value) ? value : throw file.Metadata.Missing(key));
        }
        AddTypes(writer, type);
        var tensors = CopiedTensor.Of(source);
        for (var i = 0; i < tensors.Count; i++)
        {
            var (tensor, number) = (tensors[i], i + 1);
            var target = TargetOf(tensor.Name, tensor.Type, tensor.Dimensions[0], tensor.Dimensions.Length, type.Type, tensor.Type);
            writer.AddTensor(tensor.Name, target, tensor.Dimensions, stream =>
            {
                progress?.Invoke(new ConversionProgress(tensor.Name, number, tensors.Count));
                tensor.Write(target, stream);
            });
        }
    }

    private static void Add(GgufForm form, GgufWriter writer, ConversionType type, Action<ConversionProgress>? progress)
    {
        foreach (var (key, value) in form.Metadata)
            writer.Add(key, value);
        AddTypes(writer, type);
        for (var i = 0; i < form.Tensors.Count; i++)
        {
            var (tensor, number) = (form.Tensors[i], i + 1);
            var target = TargetOf(tensor.Name, tensor.Type, tensor.Shape.Length == 0 ? 1 : tensor.Shape[^1], tensor.Shape.Length, type.Type, TensorType.F32);
            writer.AddTensor(tensor.Name, target, [.. tensor.Shape.Reverse()], stream =>
            {
                progress?.Invoke(new ConversionProgress(tensor.Name, number, form.Tensors.Count));
                form.Write(tensor, target, stream);
            });
        }
    }

    private static void AddTypes(GgufWriter writer, ConversionType type)
    {
        writer.Add("general.file_type", type.FileType);
        writer.Add("general.quantization_version", 2u);
    }

    // A file that changed since is another one, and what was converted of it is of no use.
    private static string Origin(ModelSource source) => string.Join('\n', source.Files.Order(StringComparer.Ordinal)
        .Select(file => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Path.GetFullPath(file)} {new FileInfo(file).Length} {File.GetLastWriteTimeUtc(file).Ticks}")));

    private static TensorType TargetOf(string name, TensorType type, long columns, int dimensions, TensorType wanted, TensorType kept)
    {
        if (dimensions < 2 || !name.EndsWith(".weight", StringComparison.Ordinal) || !BlockFormats.TryGet(type, out _) || Kept.Any(part => name.Contains(part, StringComparison.Ordinal))
            || (name.Contains("time_mix_", StringComparison.Ordinal) && !LargeOfTimeMix.Any(part => name.Contains(part, StringComparison.Ordinal))))
            return kept;
        return columns % TensorTypes.BlockSize(wanted) == 0 ? wanted : TensorType.F16;
    }
}
