using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Weights.Quantized;

/// <summary>Families with experts, latent attention, fused or reordered matrices read quantized ones as they read plain ones.</summary>
public sealed class QuantizedFamiliesTests
{
    [Theory]
    [InlineData("qwen3moe")]
    [InlineData("mixtral")]
    [InlineData("deepseek3")]
    [InlineData("phi3")]
    [InlineData("gemma2")]
    [InlineData("falcon-7b-style")]
    public void Load_OfAFamilyInInt8_GivesTheLogitsOfItsValues(string fixture)
    {
        var original = Fixtures.Path("fixtures", "architectures", fixture);
        using var plain = new TemporaryFolder();
        using var quantized = new TemporaryFolder();
        var count = Write(original, plain, quantized);
        Assert.True(count >= 8);
        Assert.Equal(count, ModelCard.Read(quantized.ToString()).TensorTypes.Single(type => type.Type == "compressed-tensors").Tensors);
        Assert.Equal(Logits(plain), Logits(quantized));
        // A GGUF file of either is the same.
        using var converted = new TemporaryFolder();
        foreach (var (folder, file) in new[] { (plain, "plain.gguf"), (quantized, "quantized.gguf") })
            ModelConversion.Convert(folder.ToString(), converted[file], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        using var expected = GgufFile.Open(converted["plain.gguf"]);
        using var actual = GgufFile.Open(converted["quantized.gguf"]);
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name), actual.Tensors.Select(tensor => tensor.Name));
        foreach (var tensor in expected.Tensors)
            Assert.True(tensor.Data.Span(0, (int)tensor.Data.Length).SequenceEqual(actual.GetTensor(tensor.Name).Data.Span(0, (int)tensor.Data.Length)), tensor.Name);
    }

    // Every matrix of a layer, rounded to bytes with a scale a row: as such in one folder, as F32 in the other.
    private static int Write(string original, TemporaryFolder plain, TemporaryFolder quantized)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(original, "config.json")))!;
        File.WriteAllText(plain["config.json"], config.ToJsonString());
        config["quantization_config"] = new JsonObject { ["quant_method"] = "compressed-tensors", ["format"] = "int-quantized" };
        File.WriteAllText(quantized["config.json"], config.ToJsonString());
        using var model = SafetensorsModel.Open(original);
        var (values, bytes) = (new SafetensorsWriter(), new SafetensorsWriter());
        var count = 0;
        foreach (var tensor in model.Tensors)
        {
            if (tensor.Shape.Count != 2 || !tensor.Name.EndsWith(".weight", StringComparison.Ordinal) || !(tensor.Name.Contains("layers.") || tensor.Name.Contains(".h.")))
            {
                values.AddTensor(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Data);
                bytes.AddTensor(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Data);
                continue;
            }
            count++;
            var (rows, columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
            var numbers = new float[rows * columns];
            BlockFormats.Get(tensor.Type).Decode(tensor.Data.Span(0, (int)tensor.Data.Length), numbers);
            var codes = new sbyte[numbers.Length];
            var scales = Enumerable.Range(0, rows).Select(row => numbers.AsSpan(row * columns, columns).ToArray().Max(Math.Abs) / 127).ToArray();
            for (var i = 0; i < codes.Length; i++)
            {
                codes[i] = (sbyte)Math.Clamp(MathF.Round(numbers[i] / scales[i / columns]), -127, 127);
                numbers[i] = codes[i] * scales[i / columns];
            }
            values.AddTensor(tensor.Name, TensorType.F32, [rows, columns], stream => stream.Write(MemoryMarshal.AsBytes(numbers.AsSpan())));
            bytes.AddTensor(tensor.Name, TensorType.I8, [rows, columns], stream => stream.Write(MemoryMarshal.AsBytes(codes.AsSpan())));
            bytes.AddTensor($"{tensor.Name}_scale", TensorType.F32, [rows, 1], stream => stream.Write(MemoryMarshal.AsBytes(scales.AsSpan())));
        }
        values.Write(plain["model.safetensors"]);
        bytes.Write(quantized["model.safetensors"]);
        return count;
    }

    private static float[] Logits(TemporaryFolder folder)
    {
        using var model = Model.Load(folder.ToString(), new ModelOptions { Exact = true });
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession(32);
        return [.. session.Step([7, 3, 11, 60, 2, 9, 33]).ToArray()];
    }
}
