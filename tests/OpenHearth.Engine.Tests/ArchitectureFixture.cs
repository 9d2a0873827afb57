using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenHearth.Engine.Tests;

/// <summary>A folder of ../shared/fixtures/architectures: what the model must give for its ids.</summary>
internal sealed class ArchitectureFixture
{
    public ArchitectureFixture(string name)
    {
        Folder = Fixtures.Path("fixtures", "architectures", name);
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "expected.json")));
        var root = json.RootElement;
        Ids = Ints(root.GetProperty("ids"));
        Expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(Folder, "expected.f32"))).ToArray();
        Width = root.GetProperty("shape")[1].GetInt32();
        if (File.Exists(Path.Combine(Folder, "config.json")))
            OriginalLength = LongRopeFrom(Path.Combine(Folder, "config.json"));
        if (!root.TryGetProperty("greedy", out var greedy))
            return;
        GreedyPrompt = greedy.GetProperty("prompt").GetInt32();
        GreedyIds = Ints(greedy.GetProperty("ids"));
        GreedyMargins = [.. greedy.GetProperty("margins").EnumerateArray().Select(margin => margin.GetDouble())];
    }

    public string Folder { get; }

    public int[] Ids { get; }

    /// <summary>[ids, width]</summary>
    public float[] Expected { get; }

    public int Width { get; }

    /// <summary>Tokens beyond which long RoPE has other angles for all tokens; 0 where there are none.</summary>
    public int OriginalLength { get; }

    public int GreedyPrompt { get; }

    public int[] GreedyIds { get; } = [];

    public double[] GreedyMargins { get; } = [];

    /// <summary>The path of one form.</summary>
    public string Form(string form)
    {
        var path = Directory.EnumerateFiles(Folder, $"*.{form}").Order(StringComparer.Ordinal).First();
        return form == "gguf" ? path : Folder;
    }

    /// <summary>Largest difference over the standard deviation of what is expected.</summary>
    public double Error(ReadOnlySpan<float> results) => LogitComparison.Error(Expected, results);

    private static int LongRopeFrom(string path)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(path));
        return config.RootElement.TryGetProperty("rope_scaling", out var scaling) && scaling.ValueKind == JsonValueKind.Object && scaling.TryGetProperty("long_factor", out _)
            ? config.RootElement.GetProperty("original_max_position_embeddings").GetInt32()
            : 0;
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetInt32())];
}
