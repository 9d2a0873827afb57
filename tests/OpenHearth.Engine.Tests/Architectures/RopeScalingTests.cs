using System.Globalization;
using System.Text;
using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>
/// Frequencies against numbers that a Python program computed from the formulas of transformers' modeling_rope_utils.py
/// (commit ef46806), for both forms of config.json.
/// </summary>
public sealed class RopeScalingTests
{
    [Theory]
    [InlineData(8, 1e4, "\"rope_type\":\"linear\",\"factor\":4", 2048, "0.25 0.025 0.0025 0.00025")]
    [InlineData(8, 1e4, "\"rope_type\":\"ntk\",\"factor\":4", 2048, "1 0.0629960525 0.00396850263 0.00025")]
    [InlineData(8, 1e4, "\"type\":\"dynamic\",\"alpha\":1000,\"factor\":1", 2048, "1 0.01 0.0001 1e-06")]
    [InlineData(16, 5e5, "\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":8192", 131072, "1 0.193922745 0.0376060309 0.00729266474 0.000524846161 3.4281022e-05 6.64786987e-06 1.28917317e-06")]
    [InlineData(16, 1e4, "\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":2048", 8192, "1 0.316227766 0.1 0.025693506 0.00625 0.00138349648 0.00025 7.90569415e-05", 1.13862944)]
    public void Frequencies_OfEveryKind_AreThoseOfTransformers(int dimensions, double theta, string scaling, int positions, string expected, double magnitude = 1)
    {
        foreach (var json in Forms(theta, scaling, positions))
        {
            var p = Parse(json);
            var rope = RopeScaling.Frequencies(p.Rope(null)!, p, dimensions);
            AreClose(expected, rope.Inverse, json);
            Assert.Equal(magnitude, rope.Magnitude, 1e-6);
        }
    }

    [Theory]
    [InlineData(64, "1 0.1 0.01 0.001")]
    [InlineData(65, "1 0.0989795206 0.0097969455 0.00096969697")]
    [InlineData(200, "1 0.0575369583 0.00331050157 0.00019047619")]
    public void DynamicAngles_OfALength_AreThoseOfTransformers(int length, string expected)
    {
        foreach (var json in Forms(1e4, "\"rope_type\":\"dynamic\",\"factor\":2", 64))
        {
            var row = Angles(json, length);
            AreClose(expected, [.. row[4..].Select(sine => (float)Math.Asin(sine))], json);
        }
    }

    [Theory]
    [InlineData(16, "1 0.0909090909 0.00833333333 0.000769230769", "\"original_max_position_embeddings\":16,", "", 1.224744871)]
    [InlineData(17, "0.5 0.0333333333 0.0025 0.0002", "\"original_max_position_embeddings\":16,", "", 1.224744871)]
    [InlineData(65, "0.5 0.0333333333 0.0025 0.0002", "", ",\"factor\":4", 1.154700538)]
    public void LongRope_WithinAndBeyond_IsThatOfTransformers(int length, string expected, string original, string factor, double magnitude)
    {
        var json = $"{{{original}\"max_position_embeddings\":64,\"rope_theta\":10000,\"rope_scaling\":{{\"type\":\"longrope\",\"short_factor\":[1,1.1,1.2,1.3],\"long_factor\":[2,3,4,5]{factor}}}}}";
        var row = Angles(json, length);
        Assert.Equal(magnitude, Math.Sqrt((row[0] * row[0]) + (row[4] * row[4])), 1e-6);
        AreClose(expected, [.. row[4..].Select(sine => (float)Math.Asin(sine / magnitude))], json);
    }

    [Theory]
    [InlineData("rope.scaling.type", "linear", "rope.scaling.factor")]
    [InlineData(null, null, "rope.scaling.factor")]
    [InlineData(null, null, "rope.scale_linear")]
    public void Gguf_WithAFactor_IsLinear(string? key, string? type, string factor)
    {
        using var file = new TinyLlama(also: writer =>
        {
            if (key is not null)
                writer.Add($"llama.{key}", type!);
            writer.Add($"llama.{factor}", 4f);
        });
        using var model = Model.Load(file.Path);
        var angles = model.Graph.Nodes.OfType<RopeAnglesOp>().Single();
        AreClose("0.25 0.0025", angles.Frequencies.Inverse, factor);
    }

    [Fact]
    public void Dynamic_WithoutAFactor_NamesTheKey()
    {
        var p = Parse("""{"max_position_embeddings":64,"rope_theta":1e4,"rope_scaling":{"type":"ntk"}}""");
        Assert.Contains("rope_scaling.factor", Assert.Throws<OpenHearth.Engine.Files.ModelFormatException>(() => RopeScaling.Frequencies(p.Rope(null)!, p, 8)).Message, StringComparison.Ordinal);
    }

    private static string[] Forms(double theta, string scaling, int positions) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"{{\"max_position_embeddings\":{positions},\"rope_theta\":{theta},\"rope_scaling\":{{{scaling}}}}}"),
        string.Create(CultureInfo.InvariantCulture, $"{{\"max_position_embeddings\":{positions},\"rope_parameters\":{{\"rope_theta\":{theta},{scaling}}}}}"),
    ];

    private static HuggingFaceParameters Parse(string json) => new(HuggingFaceConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json"));

    // [cosines then sines of 4 pairs] at position 1 of a sequence that comes at once
    private static float[] Angles(string json, int length)
    {
        using var file = new TinyLlama();
        using var source = ModelSource.Open(file.Path);
        var g = new GraphBuilder(new ModelWeights(source, TensorNames.Llama()));
        var graph = g.Build(g.OutputRows(RopeScaling.Angles(g, Parse(json), 8)));
        var plan = Plan.Of(graph);
        var layout = new CacheLayout(graph, new CacheFormats(CacheFormat.F32, CacheFormat.F32), 256);
        using var pool = new ComputePool(1);
        using var blocks = new BlockPool(layout);
        using var step = new StepContext(pool, Precision.Exact, layout, 256) { Arena = new Arena(plan.Placement) };
        using var state = new SequenceState(blocks);
        Assert.Empty(state.Begin(length));
        step.Add(state, new int[length], length);
        step.Arena.Reserve(length, length);
        plan.RunBody(step);
        step.SelectOutputs(1, 2);
        plan.RunHead(step);
        return step.Values(plan.Graph.Output).ToArray();
    }

    private static void AreClose(string expected, ReadOnlySpan<float> actual, string what)
    {
        var values = expected.Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(values.Length, actual.Length);
        for (var i = 0; i < values.Length; i++)
            Assert.True(Math.Abs(values[i] - actual[i]) <= 2e-6 * values[i], $"{what}: {actual[i]}, expected {values[i]}");
    }
}
