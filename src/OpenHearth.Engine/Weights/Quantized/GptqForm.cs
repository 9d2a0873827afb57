using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>GPTQ, versions 1 and 2, of 2, 3, 4 or 8 bits, with or without activation order. Rounded once, to the type of its scales.</summary>
internal sealed class GptqForm : QuantizedForm
{
    private readonly int _bits;
    private readonly int _groupSize;
    private readonly int _version;

    public GptqForm(ConfigSection section)
    {
        _bits = section.FindInteger("bits") switch
        {
            (2 or 3 or 4 or 8) and var bits => (int)bits,
            null => throw section.Missing("bits"),
            var bits => throw section.Unusable("bits", $"GPTQ has 2, 3, 4 or 8 bits, not {bits}"),
        };
        _groupSize = (int)Math.Clamp(section.FindInteger("group_size") ?? throw section.Missing("group_size"), -1, int.MaxValue);
        _version = (section.FindString("checkpoint_format") ?? "gptq") switch
        {
            "gptq" => 1,
            "gptq_v2" => 2,
            var other => throw section.Unusable("checkpoint_format", $"{other} is not known; known are gptq and gptq_v2"),
        };
        if (section.FindSection("dynamic") is { } dynamic && dynamic.Keys.Any())
            throw section.Unusable("dynamic", "modules with settings of their own are not supported");
    }

    public override IReadOnlyList<string> Endings { get; } = [".qweight", ".qzeros", ".scales", ".g_idx"];

    public override bool Marks(string ending, TensorType type) => ending != ".g_idx";

    public override QuantizedMatrix Read(TensorGroup group)
    {
        var codes = group.Matrix(".qweight", TensorType.I32, TensorType.U32);
        var (rows, columns) = group.Size(".qweight", codes.Shape[1], codes.Shape[0] * 32 / _bits);
        var size = _groupSize <= 0 ? columns : _groupSize;
        var groups = ((long)columns + size - 1) / size;
        var scales = group.Floats(".scales", groups, rows);
        var zeros = group.Words(".qzeros", groups, ((long)rows * _bits + 31) / 32);
        int[] order = group.Has(".g_idx") ? group.Integers(".g_idx", columns) : [];
        var decoder = new GptqRows(rows, columns, _bits, size, _version, codes.Data, zeros.Data, scales, order);
        return new QuantizedMatrix(decoder, ScaledType.Of(group.Get(".scales").Type), IsExact: false);
    }
}
