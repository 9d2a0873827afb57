using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// A way in which Hugging Face checkpoints keep the matrix of a module in several tensors, or in one that means nothing
/// without another. What <c>quantization_config</c> says chooses it.
/// </summary>
internal abstract class QuantizedForm
{
    /// <summary>Endings of the names of all tensors that belong to a matrix, a bias apart.</summary>
    public abstract IReadOnlyList<string> Endings { get; }

    /// <summary>True where a tensor shows that a module is quantized.</summary>
    /// <param name="ending">What follows the module's name, one of <see cref="Endings"/>.</param>
    /// <param name="type">How the tensor is stored.</param>
    public abstract bool Marks(string ending, TensorType type);

    /// <summary>Reads how a module's matrix is to be decoded.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape or type, or says what is not known.</exception>
    public abstract QuantizedMatrix Read(TensorGroup group);

    /// <summary>The form of a model's matrices; null where they are plain, or known to the architecture (MXFP4 of gpt-oss, BitNet's own family).</summary>
    /// <exception cref="ModelFormatException">It is none of those known.</exception>
    public static QuantizedForm? Of(HuggingFaceConfig config)
    {
        var section = config.FindSection("quantization_config") ?? config.FindSection("compression_config");
        return section?.FindString("quant_method") switch
        {
            "gptq" => new GptqForm(section),
            "awq" => new AwqForm(section),
            "bitsandbytes" => new BitsAndBytesForm(),
            "fp8" or "fbgemm_fp8" => new Fp8Form(section),
            "compressed-tensors" => new CompressedForm(section),
            "bitnet" when config.FindString("model_type") != "bitnet" => new BitNetForm(section),
            null when section is not null && (section.FindBoolean("load_in_4bit") is true || section.FindBoolean("load_in_8bit") is true) => new BitsAndBytesForm(),
            "bitnet" or "mxfp4" or null => null,
            var other => throw section.Unusable("quant_method", $"{ModelFormatException.Quote(other)} is not known; known are gptq, awq, bitsandbytes, fp8, fbgemm_fp8, compressed-tensors, bitnet and mxfp4"),
        };
    }
}

/// <summary>A matrix that can be decoded row by row.</summary>
/// <param name="Rows">What decodes it.</param>
/// <param name="Type">The type that its values are kept in unless exact ones are asked for.</param>
/// <param name="IsExact">True where that type holds every value as it is.</param>
internal sealed record QuantizedMatrix(RowDecoder Rows, TensorType Type, bool IsExact);
