using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>AWQ of 4 bits in its "gemm" and "gemv" layouts. Rounded once, to the type of its scales.</summary>
internal sealed class AwqForm : QuantizedForm
{
    private readonly int _groupSize;
    private readonly bool _across;

    public AwqForm(ConfigSection section)
    {
        if (section.FindInteger("bits") is { } bits and not 4)
            throw section.Unusable("bits", $"AWQ has 4 bits, not {bits}");
        _groupSize = (int)Math.Clamp(section.FindInteger("group_size") ?? throw section.Missing("group_size"), -1, int.MaxValue);
        _across = (section.FindString("version") ?? "gemm").ToLowerInvariant() switch
        {
            "gemm" => true,
            "gemv" => false,
            var other => throw section.Unusable("version", $"{other} is not known; known are gemm and gemv"),
        };
        if (section.FindBoolean("zero_point") is false)
            throw section.Unusable("zero_point", "AWQ without zeros is not supported");
    }

    public override IReadOnlyList<string> Endings { get; } = [".qweight", ".qzeros", ".scales"];

    public override bool Marks(string ending, TensorType type) => true;

    public override QuantizedMatrix Read(TensorGroup group)
    {
        var codes = group.Matrix(".qweight", TensorType.I32, TensorType.U32);
        var type = ScaledType.Of(group.Get(".scales").Type);
        var (rows, columns) = _across
            ? group.Size(".qweight", codes.Shape[1] * 8, codes.Shape[0])
            : group.Size(".qweight", codes.Shape[0], codes.Shape[1] * 8);
        var size = _groupSize <= 0 ? columns : _groupSize;
        if (_across)
        {
            var groups = ((long)columns + size - 1) / size;
            var zeros = group.Words(".qzeros", groups, rows / 8);
            return new QuantizedMatrix(new AwqGemmRows(rows, columns, size, codes.Data, zeros.Data, group.Floats(".scales", groups, rows)), type, IsExact: false);
        }
        var padded = group.Matrix(".qzeros", TensorType.I32, TensorType.U32);
        var width = padded.Shape[1];
        group.Words(".qzeros", rows, width);
        if (((long)columns + size - 1) / size > 8 * width)
            throw group.Wrong(".qzeros", $"{8 * width} zeros a row, too few for {columns} inputs in groups of {size}");
        var scales = group.Floats(".scales", rows, 8 * width);
        return new QuantizedMatrix(new AwqGemvRows(rows, columns, size, (int)width, codes.Data, padded.Data, scales), type, IsExact: false);
    }
}
