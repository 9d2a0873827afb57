using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Conversion;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tests.Files;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>
/// Numbers that models give of themselves replaced by others: a model loads and runs, or says what is wrong. A fixed sample
/// of all folders, keys and numbers.
/// </summary>
public sealed class HostileParametersTests
{
    private const int Samples = 200;
    private static readonly string[] Texts = ["0", "1", "3", "-1", "65536", "65537", "268435456", "4294967297", "1e300", "0.5", "null", "\"x\"", "[]", "[1]"];
    private static readonly object[] Values = [0u, 1u, 3u, -1, 65536u, 65537u, 1u << 28, uint.MaxValue, float.NaN, 0.5f, "x", Array.Empty<int>(), new[] { 1 }];

    [Fact]
    public void Load_WhereANumberOfTheConfigIsAnother_GivesAModelOrSaysWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        var cases = new List<(string Folder, string Key, string Text)>();
        foreach (var from in Folders("model.safetensors"))
            cases.AddRange(Config(from).Where(pair => pair.Value?.GetValueKind() == JsonValueKind.Number).SelectMany(pair => Texts.Select(text => (from, pair.Key, text))));
        foreach (var (from, key, text) in Sample(cases))
        {
            var config = Config(from);
            config[key] = JsonNode.Parse(text);
            File.Delete(folder["model.safetensors"]);
            File.CreateSymbolicLink(folder["model.safetensors"], Path.Combine(from, "model.safetensors"));
            File.WriteAllText(folder["config.json"], config.ToJsonString());
            Try($"{folder}", $"{Path.GetFileName(from)}: {key} = {text}");
        }
    }

    [Fact]
    public void Load_WhereANumberOfTheMetadataIsAnother_GivesAModelOrSaysWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        var cases = new List<(string Folder, string Key, object Value)>();
        foreach (var from in Folders("model.gguf"))
        {
            using var file = GgufFile.Open(Path.Combine(from, "model.gguf"));
            cases.AddRange(file.Metadata.Keys.Where(key => !key.StartsWith("general.", StringComparison.Ordinal)).SelectMany(key => Values.Select(value => (from, key, value))));
        }
        foreach (var (from, key, value) in Sample(cases))
        {
            using (var file = GgufFile.Open(Path.Combine(from, "model.gguf")))
                Write(file, key, value, folder["model.gguf"]);
            Try(folder["model.gguf"], $"{Path.GetFileName(from)}: {key} = {value}");
        }
    }

    // Of families of which no fixture has a GGUF file.
    [Theory]
    [InlineData("fixtures/architectures/bitnet")]
    [InlineData("fixtures/architectures/gemma4")]
    [InlineData("fixtures/architectures/granite-hybrid")]
    [InlineData("fixtures/architectures/kimi-linear")]
    [InlineData("fixtures/architectures/modernbert")]
    [InlineData("fixtures/architectures/phimoe")]
    [InlineData("fixtures/architectures/qwen3.5")]
    [InlineData("models/tiny_rwkv/tiny-rwkv-7v0-834K-FP32.bin")]
    public void Load_OfAConvertedModelWhereANumberIsAnother_GivesAModelOrSaysWhatIsWrong(string from)
    {
        using var folder = new TemporaryFolder();
        ModelConversion.Convert(Fixtures.Path(from.Split('/')), folder["whole.gguf"], ConversionType.Find("f32")!, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["whole.gguf"]);
        var keys = file.Metadata.Keys.Where(key => !key.StartsWith("general.", StringComparison.Ordinal)).ToList();
        foreach (var (key, value) in Sample([.. keys.SelectMany(key => Values.Select(value => (key, value)))]))
        {
            Write(file, key, value, folder["model.gguf"]);
            Try(folder["model.gguf"], $"{from}: {key} = {value}");
        }
    }

    [Theory]
    [InlineData("gemma4", "num_kv_shared_layers", 6, "num_kv_shared_layers")]
    [InlineData("gemma4", "num_kv_shared_layers", 9, "num_kv_shared_layers")]
    [InlineData("granite-hybrid", "num_hidden_layers", 1 << 27, "num_hidden_layers")]
    [InlineData("lfm2", "num_hidden_layers", 1 << 27, "num_hidden_layers")]
    [InlineData("qwen3.5", "num_hidden_layers", 1 << 27, "num_hidden_layers")]
    public void Load_WithImpossibleLayers_NamesTheKey(string fixture, string key, int value, string named)
    {
        var from = Fixtures.Path("fixtures", "architectures", fixture);
        using var folder = new TemporaryFolder();
        var config = Config(from);
        config[key] = value;
        File.CreateSymbolicLink(folder["model.safetensors"], Path.Combine(from, "model.safetensors"));
        File.WriteAllText(folder["config.json"], config.ToJsonString());
        Assert.Contains(named, Assert.Throws<ModelFormatException>(() => Model.Load(folder.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LayersOfNextToken_WhereAllPredictFurtherOnes_NamesTheKey()
    {
        var metadata = new Dictionary<string, object> { ["qwen35.block_count"] = 4u, ["qwen35.nextn_predict_layers"] = 4u };
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        foreach (var (key, value) in metadata)
            writer.Add(key, value);
        writer.Write(folder["x.gguf"], TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["x.gguf"]);
        var failure = Assert.Throws<ModelFormatException>(() => new GgufParameters(file.Metadata, "x.gguf", "qwen35").LayersOfNextToken());
        Assert.Contains("nextn_predict_layers", failure.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Folders(string file) => Directory.EnumerateDirectories(Fixtures.Path("fixtures", "architectures"))
        .Order(StringComparer.Ordinal)
        .Where(folder => File.Exists(Path.Combine(folder, file)) && IsKnown(Path.Combine(folder, file)));

    private static bool IsKnown(string path)
    {
        using var source = ModelSource.Open(path);
        return ArchitectureRegistry.Knows(source);
    }

    private static JsonObject Config(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    private static T[] Sample<T>(List<T> cases)
    {
        var array = cases.ToArray();
        new Random(11).Shuffle(array);
        return array[..Math.Min(array.Length, Samples)];
    }

    private static void Write(GgufFile file, string changed, object value, string path)
    {
        var writer = new GgufWriter();
        foreach (var key in file.Metadata.Keys)
            writer.Add(key, key == changed ? value : file.Metadata.TryGet(key, out var old) ? old : "");
        foreach (var tensor in file.Tensors)
            writer.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
        writer.Write(path, TestContext.Current.CancellationToken);
    }

    private static void Try(string path, string what)
    {
        try
        {
            using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 1 });
            using var session = model.CreateSession();
            session.Step([1, 2, 3]);
        }
        catch (Exception exception) when (exception is ModelFormatException or ContextOverflowException)
        {
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(what, exception);
        }
    }
}
