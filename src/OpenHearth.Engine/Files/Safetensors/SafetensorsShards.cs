using System.Text.Json;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>Which files make up a model, and which of them has which tensor where an index says so.</summary>
/// <param name="Files">Paths, the first shard first.</param>
/// <param name="Index">The index file, where there is one.</param>
/// <param name="WeightMap">The index: tensor name to position in <paramref name="Files"/>.</param>
internal sealed record SafetensorsShards(List<string> Files, string? Index, Dictionary<string, int> WeightMap)
{
    private const string Extension = ".safetensors";
    private const string IndexExtension = ".safetensors.index.json";
    private const int MaxIndexBytes = 24 << 20;
    private const int MaxTensors = 1 << 18;

    /// <summary>Finds the files of a model by a file, a shard, an index or a folder.</summary>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="ModelFormatException">No model is there, or its index is damaged.</exception>
    public static SafetensorsShards Find(string path)
    {
        if (Directory.Exists(path))
            return FindIn(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such file", path);
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return ReadIndex(path);
        if (!TryParse(path, out var stem, out var count))
            return Single(path);
        return File.Exists(stem + IndexExtension) ? ReadIndex(stem + IndexExtension) : Numbered(path, stem, count);
    }

    private static SafetensorsShards FindIn(string folder)
    {
        var file = Path.Combine(folder, "model" + Extension);
        if (File.Exists(file))
            return Single(file);
        var index = Path.Combine(folder, "model" + IndexExtension);
        if (File.Exists(index))
            return ReadIndex(index);
        var indexes = Directory.GetFiles(folder, "*" + IndexExtension);
        if (indexes.Length == 1)
            return ReadIndex(indexes[0]);
        var files = Directory.GetFiles(folder, "*" + Extension);
        if (files.Length == 1)
            return Single(files[0]);
        Array.Sort(files, StringComparer.Ordinal);
        if (files.Length > 1 && TryParse(files[0], out var stem, out var count) && files.Length == count)
            return Numbered(files[0], stem, count);
        if (files.Length == 0 && Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() is { } gguf)
            throw new ModelFormatException($"{folder} has GGUF files and no safetensors; name the file that is meant, such as {gguf}");
        throw new ModelFormatException(files.Length == 0
            ? $"{folder} has no safetensors model: model.safetensors, model.safetensors.index.json and any other .safetensors file were looked for"
            : $"{folder} has {files.Length} .safetensors files and no model.safetensors or model.safetensors.index.json; name the file that is meant");
    }

    private static SafetensorsShards Single(string path) => new([path], null, []);

    // Shards without an index: all of them must be there.
    private static SafetensorsShards Numbered(string path, string stem, int count)
    {
        List<string> files = [];
        for (var i = 1; i <= count; i++)
        {
            files.Add($"{stem}-{i:D5}-of-{count:D5}{Extension}");
            if (!File.Exists(files[^1]))
                throw new ModelFormatException($"{path}: shard {i} of {count} is missing; it was looked for at {files[^1]}");
        }
        return new(files, null, []);
    }

    // "stem-00001-of-00003.safetensors", with more than one shard.
    private static bool TryParse(string path, out string stem, out int count)
    {
        const int SuffixLength = 15;
        (stem, count) = ("", 0);
        if (!path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || path.Length < SuffixLength + Extension.Length)
            return false;
        var suffix = path.AsSpan(path.Length - Extension.Length - SuffixLength, SuffixLength);
        stem = path[..^(SuffixLength + Extension.Length)];
        return suffix[0] == '-' && suffix[6..10] is "-of-"
            && !suffix[1..6].ContainsAnyExceptInRange('0', '9') && !suffix[10..].ContainsAnyExceptInRange('0', '9')
            && int.TryParse(suffix[10..], out count) && count > 1;
    }

    private static SafetensorsShards ReadIndex(string path)
    {
        using var map = new MappedFile(path);
        if (map.Length > MaxIndexBytes)
            throw new ModelFormatException($"{path}: an index of {map.Length} bytes is too large; at most {MaxIndexBytes} are read");
        return ParseIndex(map.Region(0, map.Length), path);
    }

    /// <summary>Reads an index that is in memory already.</summary>
    internal static SafetensorsShards ParseIndex(MemoryRegion json, string path)
    {
        Dictionary<string, int>? weightMap = null;
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        var cursor = new JsonCursor(path, json.Span(0, checked((int)json.Length)), 0, "index");
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty())
        {
            if (!cursor.Is("weight_map"))
            {
                cursor.Skip();
                continue;
            }
            cursor.Property = "weight_map";
            weightMap = weightMap is null ? ReadWeightMap(ref cursor, positions) : throw cursor.Fail("it is there twice");
            cursor.Property = null;
        }
        cursor.End();
        if (weightMap is null || positions.Count == 0)
            throw new ModelFormatException($"{path}: 'weight_map' is {(weightMap is null ? "missing" : "empty")}; the file is no index of a safetensors model");
        var folder = Path.GetDirectoryName(path) ?? "";
        return new([.. positions.Keys.Select(file => Path.Combine(folder, file))], path, weightMap);
    }

    private static Dictionary<string, int> ReadWeightMap(ref JsonCursor cursor, Dictionary<string, int> positions)
    {
        var weightMap = new Dictionary<string, int>();
        var (file, position) = ("", 0);
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty())
        {
            cursor.Item = cursor.Text();
            cursor.Expect(JsonTokenType.String);
            // Neighbours mostly lie in the same shard.
            if (file.Length == 0 || !cursor.Is(file))
            {
                file = cursor.Text();
                if (file.Length == 0 || file is "." or ".." || file.AsSpan().ContainsAny("/\\:\0"))
                    throw cursor.Fail($"{ModelFormatException.Quote(file)} is no name of a file beside the index");
                if (!positions.TryGetValue(file, out position))
                    positions.Add(file, position = positions.Count);
            }
            if (!weightMap.TryAdd(cursor.Item, position))
                throw cursor.Fail("the name is there twice");
            if (weightMap.Count > MaxTensors)
                throw cursor.Fail($"there are more than {MaxTensors} tensors");
        }
        cursor.Item = null;
        return weightMap;
    }
}
