using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// FP8 with scales for blocks (DeepSeek V3: <c>weight_scale_inv</c>), for rows (<c>weight_scale</c> of fbgemm) or for the matrix.
/// Rounded once, to BF16. Activations are not quantized.
/// </summary>
internal sealed class Fp8Form(ConfigSection section) : QuantizedForm
{
    private readonly long[]? _block = section.FindIntegers("weight_block_size") switch
    {
        null => null,
        [> 0 and <= 1 << 20, > 0 and <= 1 << 20] and var block => block,
        _ => throw section.Unusable("weight_block_size", "expected rows and columns of a block"),
    };

    public override IReadOnlyList<string> Endings { get; } =
        [".weight_scale_inv", ".weight_scale", ".input_scale", ".activation_scale", ".input_scale_ub", ".weight"];

    public override bool Marks(string ending, TensorType type) =>
        ending is ".weight_scale_inv" or ".weight_scale" || ending == ".weight" && type is TensorType.F8_E4M3 or TensorType.F8_E5M2;

    public override QuantizedMatrix Read(TensorGroup group)
    {
        var numbers = group.Matrix(".weight", TensorType.F8_E4M3, TensorType.F8_E5M2);
        var (rows, columns) = group.Size(".weight", numbers.Shape[0], numbers.Shape[1]);
        var ending = group.Has(".weight_scale") ? ".weight_scale" : ".weight_scale_inv";
        var (block, scales) = ScaleBlocks.Read(group, ending, rows, columns, _block);
        return new QuantizedMatrix(new ScaledRows(numbers.Type, rows, columns, numbers.Data, block, scales), TensorType.BF16, IsExact: false);
    }
}
