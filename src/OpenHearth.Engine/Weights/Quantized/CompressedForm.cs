using System.Runtime.InteropServices;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// compressed-tensors: packed integers of 4 and 8 bits, plain INT8 and FP8, NVFP4 and MXFP4. The tensors themselves say which it
/// is and how many inputs share a scale. Rounded once, to the type of the scales or BF16. Activations are not quantized.
/// </summary>
internal sealed class CompressedForm : QuantizedForm
{
    private readonly long[]? _block;

    public CompressedForm(ConfigSection section)
    {
        if (section.FindString("quantization_status") is { } status and not ("compressed" or "frozen"))
            throw section.Unusable("quantization_status", $"{status} is not supported; save the model compressed");
        if (section.FindSection("config_groups") is not { } groups)
            return;
        foreach (var name in groups.Keys)
        {
            if (groups.HasSection(name) && groups.FindSection(name)!.FindSection("weights") is { } weights && weights.FindIntegers("block_structure") is { } block)
                _block = block is [> 0 and <= 1 << 20, > 0 and <= 1 << 20] ? block : throw weights.Unusable("block_structure", "expected rows and columns of a block");
        }
    }

    public override IReadOnlyList<string> Endings { get; } =
    [
        ".weight_packed", ".weight_scale", ".weight_zero_point", ".weight_shape", ".weight_g_idx", ".weight_global_scale",
        ".input_scale", ".input_zero_point", ".input_global_scale", ".weight",
    ];

    public override bool Marks(string ending, TensorType type) => ending is ".weight_packed" or ".weight_scale" || ending == ".weight" && type is TensorType.F8_E4M3 or TensorType.I8;

    public override QuantizedMatrix Read(TensorGroup group) =>
        group.Has(".weight") ? ReadPlain(group)
        : group.Get(".weight_packed").Type == TensorType.U8 ? ReadFp4(group)
        : ReadPacked(group);

    private QuantizedMatrix ReadPlain(TensorGroup group)
    {
        var numbers = group.Matrix(".weight", TensorType.F8_E4M3, TensorType.I8);
        var (rows, columns) = group.Size(".weight", numbers.Shape[0], numbers.Shape[1]);
        var (block, scales) = ScaleBlocks.Read(group, ".weight_scale", rows, columns, _block);
        sbyte[]? zeros = null;
        if (numbers.Type == TensorType.I8 && group.Has(".weight_zero_point"))
        {
            var bytes = group.Get(".weight_zero_point", TensorType.I8).Data;
            if (bytes.Length != scales.Length)
                throw group.Wrong(".weight_zero_point", $"{bytes.Length} values, expected {scales.Length}");
            zeros = MemoryMarshal.Cast<byte, sbyte>(bytes.Span(0, scales.Length)).ToArray();
        }
        return new QuantizedMatrix(new ScaledRows(numbers.Type, rows, columns, numbers.Data, block, scales, zeros), ScaledType.Of(group.Get(".weight_scale").Type), IsExact: false);
    }

    private static QuantizedMatrix ReadPacked(TensorGroup group)
    {
        var packed = group.Matrix(".weight_packed", TensorType.I32, TensorType.U32);
        var shape = group.Get(".weight_shape", TensorType.I64, TensorType.I32);
        var dimensions = shape.Data.Span(0, checked((int)shape.Data.Length));
        long[] size = shape.Type == TensorType.I64 ? MemoryMarshal.Cast<byte, long>(dimensions).ToArray() : [.. MemoryMarshal.Cast<byte, int>(dimensions).ToArray()];
        if (size.Length != 2)
            throw group.Wrong(".weight_shape", $"{size.Length} values, expected 2");
        var (rows, columns) = group.Size(".weight_shape", size[0], size[1]);
        var words = packed.Shape[1];
        var bits = Array.Find([2, 4, 8], b => words == ((long)columns * b + 31) / 32);
        if (bits == 0 || packed.Shape[0] != rows)
            throw group.Wrong(".weight_packed", $"shape [{string.Join(", ", packed.Shape)}], which is no matrix of [{rows}, {columns}] in 2, 4 or 8 bits");
        var scaleTensor = group.Matrix(".weight_scale");
        var groups = scaleTensor.Shape[1];
        var scales = group.Floats(".weight_scale", rows, groups);
        if (columns % groups != 0)
            throw group.Wrong(".weight_scale", $"{groups} scales a row, which {columns} inputs can't share evenly");
        var zeros = group.Has(".weight_zero_point") ? group.Words(".weight_zero_point", ((long)rows * bits + 31) / 32, groups) : null;
        int[] order = group.Has(".weight_g_idx") ? group.Integers(".weight_g_idx", columns) : [];
        var decoder = new PackedRows(rows, columns, bits, (int)(columns / groups), packed.Data, scales, zeros?.Data, order);
        return new QuantizedMatrix(decoder, ScaledType.Of(scaleTensor.Type), IsExact: false);
    }

    private static QuantizedMatrix ReadFp4(TensorGroup group)
    {
        var packed = group.Matrix(".weight_packed", TensorType.U8);
        var (rows, columns) = group.Size(".weight_packed", packed.Shape[0], 2 * packed.Shape[1]);
        var scales = group.Matrix(".weight_scale", TensorType.F8_E4M3, TensorType.U8);
        var powers = scales.Type == TensorType.U8;
        if (scales.Shape[0] != rows || scales.Shape[1] * (powers ? 32 : 16) != columns)
            throw group.Wrong(".weight_scale", $"shape [{string.Join(", ", scales.Shape)}], expected [{rows}, {columns / (powers ? 32 : 16)}]");
        // Two bits of a code and a power of two fit BF16.
        return powers
            ? new QuantizedMatrix(Fp4Rows.Mxfp4(rows, columns, packed.Data, scales.Data), TensorType.BF16, IsExact: true)
            : new QuantizedMatrix(Fp4Rows.Nvfp4(rows, columns, packed.Data, scales.Data, group.Floats(".weight_global_scale", 1)[0]), TensorType.BF16, IsExact: false);
    }
}
