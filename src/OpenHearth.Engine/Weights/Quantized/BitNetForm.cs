using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// BitNet's packed ternary values in other families, such as Llama 3 8B 1.58. Kept in TQ2_0, 2.06 bits a weight, where rows are whole blocks of 256 and F16 holds the scale;
/// otherwise in F16. Activations are not quantized.
/// </summary>
internal sealed class BitNetForm : QuantizedForm
{
    private readonly bool _reciprocal;

    public BitNetForm(ConfigSection section)
    {
        _reciprocal = (section.FindString("linear_class") ?? "bitlinear") switch
        {
            "bitlinear" => true,
            "autobitlinear" => false,
            var other => throw section.Unusable("linear_class", $"{other} is not known; known are bitlinear and autobitlinear"),
        };
        if (section.FindString("quantization_mode") == "online")
            throw section.Unusable("quantization_mode", "weights that are still to be quantized are not supported; take the packed checkpoint or a GGUF file");
    }

    public override IReadOnlyList<string> Endings { get; } = [".weight_scale", ".weight"];

    public override bool Marks(string ending, TensorType type) => ending == ".weight_scale" || type == TensorType.U8;

    public override QuantizedMatrix Read(TensorGroup group)
    {
        var packed = group.Matrix(".weight", TensorType.U8);
        var (rows, columns) = group.Size(".weight", 4 * packed.Shape[0], packed.Shape[1]);
        var scale = group.Floats(".weight_scale") is [var one] ? one : throw group.Wrong(".weight_scale", "more or less than one value");
        scale = _reciprocal ? 1 / scale : scale;
        if (!float.IsFinite(scale))
            throw group.Wrong(".weight_scale", "a value that is no scale");
        var fits = (float)(Half)scale == scale;
        return new QuantizedMatrix(new TernaryRows(rows, columns, packed.Data, scale), fits && columns % 256 == 0 ? TensorType.TQ2_0 : TensorType.F16, fits);
    }
}
