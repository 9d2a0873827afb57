using System.Buffers.Binary;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;

namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GptOssTests() : ArchitectureTests("gpt-oss/safetensors", "gpt-oss-truncate/gguf", "gpt-oss-truncate/safetensors")
{
    [Fact]
    public void Logits_OfUnpackedExperts_AreTheReference()
    {
        var fixture = new ArchitectureFixture("gpt-oss");
        using var folder = new TemporaryFolder();
        Unpack(fixture.Folder, folder);
        using var model = Model.Load($"{folder}", new ModelOptions { Exact = true, Threads = 1 });
        using var session = model.CreateSession();
        var logits = new float[fixture.Expected.Length];
        session.Step(fixture.Ids, logits);
        Assert.True(fixture.Error(logits) <= 1e-4, $"error {fixture.Error(logits):E1} of the standard deviation");
        Assert.Empty(model.UnusedTensors);
    }

    [Fact]
    public void Load_WhereScalesAreMissing_NamesThem()
    {
        var fixture = new ArchitectureFixture("gpt-oss");
        using var folder = new TemporaryFolder();
        using var packed = SafetensorsModel.Open(fixture.Folder);
        var writer = new SafetensorsWriter();
        foreach (var tensor in packed.Tensors.Where(tensor => tensor.Name != "model.layers.1.mlp.experts.down_proj_scales"))
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Data);
        writer.Write(folder["model.safetensors"], TestContext.Current.CancellationToken);
        File.Copy(Path.Combine(fixture.Folder, "config.json"), folder["config.json"]);
        var error = Assert.Throws<ModelFormatException>(() => Model.Load($"{folder}"));
        Assert.Contains("model.layers.1.mlp.experts.down_proj_scales", error.Message, StringComparison.Ordinal);
    }

    // As fine-tuning tools write it: BF16, inputs before outputs.
    private static void Unpack(string from, TemporaryFolder to)
    {
        using var packed = SafetensorsModel.Open(from);
        var writer = new SafetensorsWriter();
        foreach (var tensor in packed.Tensors)
        {
            if (tensor.Name.EndsWith("_blocks", StringComparison.Ordinal))
            {
                var (experts, rows, columns) = (tensor.Shape[0], (int)tensor.Shape[1], (int)(32 * tensor.Shape[2]));
                var decoder = Fp4Rows.Mxfp4((int)experts * rows, columns, tensor.Data, packed.GetTensor(tensor.Name.Replace("_blocks", "_scales", StringComparison.Ordinal)).Data);
                writer.AddTensor(tensor.Name.Replace("_blocks", "", StringComparison.Ordinal), TensorType.BF16, [experts, columns, rows], stream => stream.Write(Transposed(decoder, rows)));
            }
            else if (!tensor.Name.EndsWith("_scales", StringComparison.Ordinal))
            {
                writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Shape], tensor.Data);
            }
        }
        writer.Write(to["model.safetensors"], TestContext.Current.CancellationToken);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(from, "config.json")))!.AsObject();
        config.Remove("quantization_config");
        File.WriteAllText(to["config.json"], config.ToJsonString());
    }

    private static byte[] Transposed(Fp4Rows decoder, int rows)
    {
        var result = new byte[2 * decoder.Rows * decoder.Columns];
        var values = new float[decoder.Columns];
        for (var r = 0; r < decoder.Rows; r++)
        {
            decoder.DecodeRow(r, values);
            for (var c = 0; c < values.Length; c++)
            {
                var place = (((r / rows * values.Length) + c) * rows) + (r % rows);
                BinaryPrimitives.WriteUInt16LittleEndian(result.AsSpan(2 * place), (ushort)(BitConverter.SingleToUInt32Bits(values[c]) >> 16));
            }
        }
        return result;
    }
}
