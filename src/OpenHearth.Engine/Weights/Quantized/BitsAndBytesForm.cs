using System.Text.Json;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>
/// bitsandbytes: NF4 and FP4, kept in the type that the weights had, which loses nothing; LLM.int8, rounded once, to F16.
/// </summary>
internal sealed class BitsAndBytesForm : QuantizedForm
{
    private const string Nf4 = ".weight.quant_state.bitsandbytes__nf4";
    private const string Fp4 = ".weight.quant_state.bitsandbytes__fp4";
    private const int LongestState = 1 << 16;

    public override IReadOnlyList<string> Endings { get; } =
        [".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map", Nf4, Fp4, ".SCB", ".weight_format", ".weight"];

    public override bool Marks(string ending, TensorType type) => ending is ".weight.absmax" or ".weight.quant_map" or Nf4 or Fp4 or ".SCB";

    public override QuantizedMatrix Read(TensorGroup group) => group.Has(".SCB") ? ReadBytes(group) : ReadFourBits(group);

    private static QuantizedMatrix ReadBytes(TensorGroup group)
    {
        var bytes = group.Matrix(".weight", TensorType.I8);
        var (rows, columns) = group.Size(".weight", bytes.Shape[0], bytes.Shape[1]);
        if (group.Has(".weight_format") && group.Get(".weight_format", TensorType.U8).Data is var layout && (layout.Length != 1 || layout.Span(0, 1)[0] != 0))
            throw group.Wrong(".weight_format", "a layout other than row after row; save the checkpoint with a current bitsandbytes");
        return new QuantizedMatrix(ScaledRows.LlmInt8(rows, columns, bytes.Data, group.Floats(".SCB", rows)), TensorType.F16, IsExact: false);
    }

    private static QuantizedMatrix ReadFourBits(TensorGroup group)
    {
        var ending = group.Has(Fp4) ? Fp4 : Nf4;
        var state = State(group, ending);
        var shape = state.FindIntegers("shape") is [var r, var c] ? (r, c) : throw state.Unusable("shape", "a matrix has two dimensions");
        var (rows, columns) = group.Size(ending, shape.r, shape.c);
        var packed = group.Get(".weight");
        var values = (long)rows * columns;
        if (packed.Data.Length != (values + 1) / 2)
            throw group.Wrong(".weight", $"{packed.Data.Length} bytes, expected {(values + 1) / 2} for [{rows}, {columns}]");
        var blockSize = Positive(state, "blocksize");
        var blocks = (values + blockSize - 1) / blockSize;
        var type = state.FindString("dtype") switch
        {
            "bfloat16" => TensorType.BF16,
            "float16" => TensorType.F16,
            "float32" => TensorType.F32,
            null => throw state.Missing("dtype"),
            var other => throw state.Unusable("dtype", $"{other} is not known"),
        };
        var maxima = group.Has(".weight.nested_absmax") ? Nested(group, state, blocks) : group.Floats(".weight.absmax", blocks);
        return new QuantizedMatrix(new FourBitRows(rows, columns, blockSize, type, packed.Data, group.Floats(".weight.quant_map", 16), maxima), type, IsExact: true);
    }

    private static float[] Nested(TensorGroup group, ConfigSection state, long blocks)
    {
        var codes = group.Get(".weight.absmax", TensorType.U8);
        if (codes.Data.Length != blocks)
            throw group.Wrong(".weight.absmax", $"{codes.Data.Length} values, expected {blocks}");
        var blockSize = Positive(state, "nested_blocksize");
        var maxima = group.Floats(".weight.nested_absmax", (blocks + blockSize - 1) / blockSize);
        var offset = state.FindNumber("nested_offset") ?? throw state.Missing("nested_offset");
        return FourBitRows.Nested(codes.Data.Span(0, checked((int)blocks)), group.Floats(".weight.nested_quant_map", 256), maxima, blockSize, (float)offset);
    }

    private static int Positive(ConfigSection state, string key) => state.FindInteger(key) switch
    {
        > 0 and <= 1 << 20 and var value => (int)value,
        null => throw state.Missing(key),
        var value => throw state.Unusable(key, $"can't be {value}"),
    };

    private static ConfigSection State(TensorGroup group, string ending)
    {
        var text = group.Get(ending, TensorType.U8).Data;
        try
        {
            if (text.Length > LongestState)
                throw group.Wrong(ending, $"{text.Length} bytes");
            var values = JsonElement.Parse(text.Span(0, (int)text.Length), new JsonDocumentOptions { MaxDepth = 8 });
            return values.ValueKind == JsonValueKind.Object ? new ConfigSection(group.Module + ending, "", values) : throw group.Wrong(ending, "no JSON object");
        }
        catch (JsonException)
        {
            throw group.Wrong(ending, "text that is no JSON");
        }
    }
}
