using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Weights.Quantized;

public sealed class QuantizedMatricesTests
{
    private static readonly string[] Folder = ["fixtures", "quantization"];

    public static TheoryData<string> GptqAndAwq =>
    [
        "gptq_v1_4bit", "gptq_v1_4bit_symmetric", "gptq_v1_4bit_act_order", "gptq_v1_4bit_zero_16", "gptq_v2_4bit", "gptq_v1_8bit",
        "gptq_v1_3bit", "gptq_v1_2bit", "awq_gemm_4bit", "awq_gemv_4bit",
    ];

    [Theory]
    [MemberData(nameof(GptqAndAwq))]
    public void Load_OfGptqAndAwqOfTheFixture_GivesTheLogitsOfTheirValues(string prefix)
    {
        var manifest = Manifest("gptq_awq");
        var item = manifest.GetProperty("cases").EnumerateArray().Single(entry => entry.GetProperty("prefix").GetString() == prefix);
        var (outputs, inputs) = (item.GetProperty("out_features").GetInt32(), item.GetProperty("in_features").GetInt32());
        var across = Floats("gptq_awq", item.GetProperty("weights")); // [in, out]
        var expected = new float[across.Length];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = across[(i % inputs * outputs) + (i / inputs)];
        var format = item.GetProperty("format").GetString()!;
        var (bits, size) = (item.GetProperty("bits").GetInt32(), item.GetProperty("group_size").GetInt32());
        var config = format.StartsWith("awq", StringComparison.Ordinal)
            ? $$"""{"quant_method":"awq","bits":{{bits}},"group_size":{{size}},"version":"{{format[4..]}}","zero_point":true}"""
            : $$"""{"quant_method":"gptq","bits":{{bits}},"group_size":{{size}},"checkpoint_format":"{{format}}"}""";
        Check(outputs, inputs, config, expected, Parts("gptq_awq", "packed.safetensors", prefix + "."));
    }

    [Theory]
    [InlineData("nested")]
    [InlineData("plain")]
    [InlineData("fp4")]
    [InlineData("storage")]
    public void Load_OfFourBitsOfTheFixture_GivesTheLogitsOfTheirValues(string prefix)
    {
        var item = Manifest("bitsandbytes").GetProperty("modules").GetProperty("linear4bit.safetensors").EnumerateArray()
            .Single(entry => entry.GetProperty("prefix").GetString() == prefix);
        var (outputs, inputs) = (item.GetProperty("shape")[0].GetInt32(), item.GetProperty("shape")[1].GetInt32());
        var parts = Parts("bitsandbytes", "linear4bit.safetensors", prefix + ".");
        const string Config = """{"quant_method":"bitsandbytes","load_in_4bit":true}""";
        var expected = SmallCheckpoint.PlainLogits(outputs, inputs, Floats("bitsandbytes", item.GetProperty("dequantized")));
        Assert.Equal(expected, SmallCheckpoint.Logits(outputs, inputs, Config, null, parts));
    }

    [Fact]
    public void Load_OfLlmInt8OfTheFixture_GivesTheLogitsOfItsValues()
    {
        var item = Manifest("bitsandbytes").GetProperty("modules").GetProperty("linear8bit.safetensors")[0];
        var parts = Parts("bitsandbytes", "linear8bit.safetensors", "");
        Check(16, 64, """{"quant_method":"bitsandbytes","load_in_8bit":true}""", Floats("bitsandbytes", item.GetProperty("dequantized")), parts);
    }

    [Theory]
    [InlineData("weight_scale_inv", 3, 3)]
    [InlineData("weight_scale", 24, 1)]
    [InlineData("weight_scale_inv", 1, 1)]
    public void Load_OfFp8_GivesTheLogitsOfItsValues(string scale, int down, int across)
    {
        var (outputs, inputs) = (24, 72);
        var random = new Random(3);
        var bytes = Enumerable.Range(0, outputs * inputs).Select(_ => (byte)(random.Next(2) * 128 + random.Next(0x20, 0x40))).ToArray();
        var scales = Enumerable.Range(0, down * across).Select(_ => 0.2f + random.NextSingle()).ToArray();
        var numbers = new float[bytes.Length];
        BlockFormats.Get(TensorType.F8_E4M3).Decode(bytes, numbers);
        // Blocks of 8 × 32: the last of a row is short.
        int Block(int i) => down == 1 ? 0 : across == 1 ? i / inputs : (i / inputs / 8 * across) + (i % inputs / 32);
        var config = $$"""{"quant_method":"fp8","weight_block_size":{{(across == 3 ? "[8,32]" : "null")}}}""";
        Check(outputs, inputs, config, [.. numbers.Select((value, i) => value * scales[Block(i)])],
            new Part(".weight", TensorType.F8_E4M3, [outputs, inputs], bytes), Part.Of($".{scale}", TensorType.F32, [down, across], scales));
    }

    [Theory]
    [InlineData(4, 16)]
    [InlineData(8, 64)]
    public void Load_OfCompressedTensorsPacked_GivesTheLogitsOfItsValues(int bits, int groupSize)
    {
        var (outputs, inputs) = (16, 64);
        var random = new Random(bits);
        var words = new int[outputs * inputs * bits / 32];
        var codes = Enumerable.Range(0, outputs * inputs).Select(_ => random.Next(1 << bits)).ToArray();
        for (var i = 0; i < codes.Length; i++)
            words[i * bits / 32] |= codes[i] << (i * bits % 32);
        var groups = inputs / groupSize;
        var scales = Enumerable.Range(0, outputs * groups).Select(_ => (Half)((1 + random.NextSingle()) / (1 << bits))).ToArray();
        var expected = codes.Select((code, i) => (float)scales[(i / inputs * groups) + (i % inputs / groupSize)] * (code - (1 << (bits - 1)))).ToArray();
        Check(outputs, inputs, """{"quant_method":"compressed-tensors","format":"pack-quantized"}""", expected,
            Part.Of(".weight_packed", TensorType.I32, [outputs, inputs * bits / 32], words), Part.Of(".weight_scale", TensorType.F16, [outputs, groups], scales),
            Part.Of(".weight_shape", TensorType.I64, [2], (long)outputs, inputs));
    }

    [Fact]
    public void Load_OfCompressedTensorsPackedWithZeros_GivesTheLogitsOfItsValues()
    {
        var (outputs, inputs, groups) = (16, 64, 2);
        var random = new Random(6);
        var words = new int[outputs * inputs / 8];
        var zeroWords = new int[outputs / 8 * groups];
        var codes = Enumerable.Range(0, outputs * inputs).Select(_ => random.Next(16)).ToArray();
        var zeros = Enumerable.Range(0, outputs * groups).Select(_ => random.Next(16)).ToArray();
        for (var i = 0; i < codes.Length; i++)
            words[i / 8] |= codes[i] << (i * 4 % 32);
        for (var i = 0; i < zeros.Length; i++)
            zeroWords[(i / groups / 8 * groups) + (i % groups)] |= zeros[i] << (i / groups * 4 % 32);
        var scales = Enumerable.Range(0, outputs * groups).Select(_ => (Half)((1 + random.NextSingle()) / 16)).ToArray();
        int Group(int i) => (i / inputs * groups) + (i % inputs / (inputs / groups));
        Check(outputs, inputs, """{"quant_method":"compressed-tensors","format":"pack-quantized"}""", [.. codes.Select((code, i) => (float)scales[Group(i)] * (code - zeros[Group(i)]))],
            Part.Of(".weight_packed", TensorType.I32, [outputs, inputs / 8], words), Part.Of(".weight_scale", TensorType.F16, [outputs, groups], scales),
            Part.Of(".weight_zero_point", TensorType.I32, [outputs / 8, groups], zeroWords), Part.Of(".weight_shape", TensorType.I64, [2], (long)outputs, inputs));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_OfCompressedTensorsFp4_GivesTheLogitsOfItsValues(bool powers)
    {
        float[] numbers = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
        var (outputs, inputs, size) = (16, 64, powers ? 32 : 16);
        var random = new Random(9);
        var bytes = new byte[outputs * inputs / 2];
        random.NextBytes(bytes);
        // As powers of two from 2^-4 to 2^-1, or as E4M3 numbers from 1 to 3.75.
        var codes = Enumerable.Range(0, outputs * inputs / size).Select(_ => (byte)random.Next(powers ? 123 : 0x38, powers ? 127 : 0x48)).ToArray();
        var scales = new float[codes.Length];
        BlockFormats.Get(TensorType.F8_E4M3).Decode(codes, scales);
        float Value(int i)
        {
            var code = bytes[i / 2] >> (i % 2 * 4) & 15;
            return (code < 8 ? numbers[code] : -numbers[code - 8]) * (powers ? MathF.Pow(2, codes[i / size] - 127) : scales[i / size] / 16);
        }
        List<Part> parts =
        [
            new(".weight_packed", TensorType.U8, [outputs, inputs / 2], bytes),
            new(".weight_scale", powers ? TensorType.U8 : TensorType.F8_E4M3, [outputs, inputs / size], codes),
        ];
        if (!powers)
            parts.Add(Part.Of(".weight_global_scale", TensorType.F32, [1], 16f));
        Check(outputs, inputs, """{"quant_method":"compressed-tensors"}""", [.. Enumerable.Range(0, outputs * inputs).Select(Value)], [.. parts]);
    }

    [Fact]
    public void Load_OfCompressedTensorsInt8_GivesTheLogitsOfItsValues()
    {
        var (outputs, inputs) = (16, 48);
        var random = new Random(8);
        var bytes = Enumerable.Range(0, outputs * inputs).Select(_ => (sbyte)random.Next(-128, 128)).ToArray();
        var scales = Enumerable.Range(0, outputs).Select(_ => (1 + random.NextSingle()) / 256).ToArray();
        Check(outputs, inputs, """{"quant_method":"compressed-tensors","format":"int-quantized"}""", [.. bytes.Select((value, i) => value * scales[i / inputs])],
            Part.Of(".weight", TensorType.I8, [outputs, inputs], bytes), Part.Of(".weight_scale", TensorType.F32, [outputs, 1], scales));
    }

    [Theory]
    [InlineData(48, false)]
    [InlineData(256, true)]
    public void Load_OfPackedBitNet_GivesTheLogitsOfItsValues(int inputs, bool reciprocal)
    {
        const int Outputs = 16;
        var random = new Random(4);
        var bytes = new byte[Outputs / 4 * inputs];
        var expected = new float[Outputs * inputs];
        for (var i = 0; i < expected.Length; i++)
        {
            var code = random.Next(3);
            bytes[i % bytes.Length] |= (byte)(code << (2 * (i / bytes.Length)));
            expected[i] = (code - 1) * 0.25f;
        }
        var config = $$"""{"quant_method":"bitnet","linear_class":"{{(reciprocal ? "bitlinear" : "autobitlinear")}}"}""";
        var actual = SmallCheckpoint.Logits(Outputs, inputs, config, null,
            new Part(".weight", TensorType.U8, [Outputs / 4, inputs], bytes), Part.Of(".weight_scale", TensorType.F32, [1], reciprocal ? 4f : 0.25f));
        Compare(SmallCheckpoint.PlainLogits(Outputs, inputs, expected), actual, 1e-5);
    }

    [Theory]
    [InlineData(".qweight", "'model.layers.0.self_attn.q_proj.qweight' is missing")]
    [InlineData(".qzeros", "'model.layers.0.self_attn.q_proj.qzeros' is missing")]
    [InlineData(".scales", "'model.layers.0.self_attn.q_proj.scales' is missing")]
    public void Load_WithoutOneOfItsTensors_NamesIt(string ending, string expected) =>
        Assert.Contains(expected, Failure(Gptq, [.. GptqParts().Where(part => part.Ending != ending)]), StringComparison.Ordinal);

    [Theory]
    [InlineData(".qzeros")]
    [InlineData(".scales")]
    [InlineData(".g_idx")]
    public void Load_WithATensorOfAnotherShape_NamesIt(string ending)
    {
        var parts = GptqParts().Select(part => part.Ending != ending ? part : part with { Shape = [.. part.Shape, 1] });
        Assert.Contains($"'model.layers.0.self_attn.q_proj{ending}' has shape [", Failure(Gptq, [.. parts]), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithAGroupThatIsNone_NamesTheModule()
    {
        var parts = GptqParts().Select(part => part.Ending != ".g_idx" ? part : Part.Of(".g_idx", TensorType.I32, [32], Enumerable.Repeat(7, 32).ToArray()));
        Assert.Contains("'model.layers.0.self_attn.q_proj'", Failure(Gptq, [.. parts]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"quant_method":"hqq"}""", "'hqq' is not known")]
    [InlineData("""{"quant_method":"gptq","bits":5,"group_size":32}""", "quantization_config.bits")]
    [InlineData("""{"quant_method":"gptq","bits":4}""", "quantization_config.group_size")]
    [InlineData("""{"quant_method":"awq","group_size":32,"version":"exllama"}""", "quantization_config.version")]
    [InlineData("""{"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"online"}""", "quantization_config.quantization_mode")]
    public void Load_OfAFormThatIsNotKnown_NamesTheField(string config, string expected) =>
        Assert.Contains(expected, Failure(config, GptqParts()), StringComparison.Ordinal);

    [Fact]
    public void Card_OfAQuantizedCheckpoint_CountsItsMatricesByForm()
    {
        using var folder = SmallCheckpoint.Write(8, 32, Gptq, GptqParts());
        var count = Assert.Single(ModelCard.Read(folder.ToString()).TensorTypes, type => type.Type == "gptq");
        Assert.Equal((5, 5 * 8 * 32), (count.Tensors, count.Parameters));
    }

    private const string Gptq = """{"quant_method":"gptq","bits":4,"group_size":32}""";

    private static Part[] GptqParts() =>
    [
        Part.Of(".qweight", TensorType.I32, [4, 8], new int[32]), Part.Of(".qzeros", TensorType.I32, [1, 1], new int[1]),
        Part.Of(".scales", TensorType.F16, [1, 8], new Half[8]), Part.Of(".g_idx", TensorType.I32, [32], new int[32]),
    ];

    private static string Failure(string config, Part[] parts)
    {
        using var folder = SmallCheckpoint.Write(8, 32, config, parts);
        return Assert.Throws<ModelFormatException>(() => Model.Load(folder.ToString())).Message;
    }

    // Exact: the same bits. Otherwise: one rounding to 8 or more bits a weight.
    private static void Check(int outputs, int inputs, string config, float[] weights, params Part[] parts)
    {
        var expected = SmallCheckpoint.PlainLogits(outputs, inputs, weights);
        Assert.Equal(expected, SmallCheckpoint.Logits(outputs, inputs, config, null, parts));
        Compare(expected, SmallCheckpoint.Logits(outputs, inputs, config, new ModelOptions(), parts), 0.03);
    }

    private static void Compare(float[] expected, float[] actual, double bound)
    {
        var mean = expected.Average();
        var deviation = Math.Sqrt(expected.Average(value => (value - mean) * (value - mean)));
        Assert.True(deviation > 0);
        Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / deviation, 0, bound);
    }

    private static JsonElement Manifest(string set) => JsonDocument.Parse(File.ReadAllBytes(Fixtures.Path([.. Folder, set, "manifest.json"]))).RootElement;

    private static float[] Floats(string set, JsonElement array)
    {
        var file = File.ReadAllBytes(Fixtures.Path([.. Folder, set, array.GetProperty("file").GetString()!]));
        var type = Enum.Parse<TensorType>(array.GetProperty("dtype").GetString()!, ignoreCase: true);
        var bytes = file.AsSpan(array.GetProperty("offset").GetInt32(), array.GetProperty("bytes").GetInt32());
        var values = new float[bytes.Length / TensorTypes.BlockBytes(type)];
        BlockFormats.Get(type).Decode(bytes, values);
        return values;
    }

    // All tensors of a saved module but its bias.
    private static Part[] Parts(string set, string file, string prefix)
    {
        using var model = SafetensorsModel.Open(Fixtures.Path([.. Folder, set, file]));
        return
        [
            .. model.Tensors.Where(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal) && tensor.Name != prefix + "bias").Select(tensor =>
                new Part($".{tensor.Name[prefix.Length..]}", tensor.Type, [.. tensor.Shape], tensor.Data.Span(0, (int)tensor.Data.Length).ToArray())),
        ];
    }
}
