using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Conversion;

/// <summary>
/// Writes a GGUF model again with its matrices in another type; all metadata, tokenizer and chat template with it, goes along.
/// Vectors, norms, routers and other tensors that every engine wants as they are keep their type. A matrix whose rows are no
/// whole blocks of the type becomes F16, as in llama.cpp. Memory is bounded: rows are converted a few at a time.
/// </summary>
public static class ModelConversion
{
    // Small tensors that kernels take in F32, with the names of llama.cpp's converter.
    private static readonly string[] Kept = ["_norm", "ffn_gate_inp", "position_embd", "token_types", "ssm_conv1d", "shortconv", "rope_f", "ssm_a", "ssm_d"];
    private static readonly string[] LargeOfTimeMix = ["time_mix_key", "time_mix_value", "time_mix_receptance", "time_mix_gate", "time_mix_output"];
    private static readonly string[] Replaced = ["general.alignment", "general.file_type", "general.quantization_version"];

    /// <summary>Converts a model. Nothing is left behind where it fails.</summary>
    /// <param name="model">A GGUF file; of a split one any part, and the result is whole.</param>
    /// <param name="output">The file to write; one that is there is replaced when the new one is whole.</param>
    /// <param name="type">What matrices become.</param>
    /// <param name="progress">Told of every tensor, on the calling thread.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FileNotFoundException">There is no such model.</exception>
    /// <exception cref="ModelFormatException">The model is damaged.</exception>
    /// <exception cref="NotSupportedException">The model is no GGUF file.</exception>
    /// <exception cref="IOException">The output can't be written, or is the model itself.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Convert(string model, string output, ConversionType type, Action<ConversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var source = ModelSource.Open(model);
        if (source is not GgufSource { File: var file })
            throw new NotSupportedException($"{model} is no GGUF file; only those can be converted.");
        if (file.Tensors.Any(tensor => Path.GetFullPath(tensor.Path) == Path.GetFullPath(output)))
            throw new IOException($"{output} is the model that is to be converted; give another name.");
        var writer = new GgufWriter();
        CopyMetadata(file.Metadata, writer, type);
        var number = 0;
        foreach (var tensor in file.Tensors)
        {
            var target = TargetOf(tensor, type.Type);
            writer.AddTensor(tensor.Name, target, [.. tensor.Dimensions], stream =>
            {
                progress?.Invoke(new ConversionProgress(tensor.Name, ++number, file.Tensors.Count));
                if (target == tensor.Type)
                    TensorSource.From(tensor.Data)(stream);
                else
                    RowConversion.Write(tensor.Type, target, tensor.Dimensions[0], tensor.Data, stream);
            });
        }
        writer.Write(output, cancellation);
    }

    private static void CopyMetadata(GgufMetadata metadata, GgufWriter writer, ConversionType type)
    {
        foreach (var key in metadata.Keys)
        {
            if (Replaced.Contains(key) || key.StartsWith("split.", StringComparison.Ordinal))
                continue;
            writer.Add(key, metadata.TryGet(key, out var value) ? value : throw metadata.Missing(key));
        }
        writer.Add("general.file_type", type.FileType);
        writer.Add("general.quantization_version", 2u);
    }

    private static TensorType TargetOf(GgufTensor tensor, TensorType wanted)
    {
        var name = tensor.Name;
        if (tensor.Dimensions.Count < 2 || !BlockFormats.TryGet(tensor.Type, out _) || Kept.Any(part => name.Contains(part, StringComparison.Ordinal))
            || (name.Contains("time_mix_", StringComparison.Ordinal) && !LargeOfTimeMix.Any(part => name.Contains(part, StringComparison.Ordinal))))
            return tensor.Type;
        return tensor.Dimensions[0] % TensorTypes.BlockSize(wanted) == 0 ? wanted : TensorType.F16;
    }
}
