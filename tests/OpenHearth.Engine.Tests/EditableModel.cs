using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests;

/// <summary>
/// A small model as numbers: a fixture rewritten as another family that must give the same, or one made up and written in both forms.
/// Shapes have the length of a row last.
/// </summary>
internal sealed class EditableModel
{
    private readonly SortedDictionary<string, (long[] Shape, float[] Values)> _tensors = new(StringComparer.Ordinal);

    /// <summary>config.json; unused in GGUF files.</summary>
    public JsonObject Config { get; private init; } = [];

    /// <summary>Metadata of a GGUF file, keys of the architecture without its name.</summary>
    public Dictionary<string, object> Metadata { get; } = [];

    /// <summary>A tensor's numbers, in place.</summary>
    public float[] this[string name] => _tensors[name].Values;

    /// <summary>True where it has a tensor.</summary>
    public bool Has(string name) => _tensors.ContainsKey(name);

    /// <summary>Reads one form of a fixture.</summary>
    public static EditableModel Read(ArchitectureFixture fixture, string form) => form == "gguf" ? ReadGguf(fixture.Form("gguf")) : ReadSafetensors(fixture.Folder);

    /// <summary>Adds a tensor, or replaces one.</summary>
    public EditableModel Set(string name, float[] values, params long[] shape)
    {
        Assert.Equal(values.Length, shape.Aggregate(1L, (a, b) => a * b));
        _tensors[name] = (shape, values);
        return this;
    }

    /// <summary>Adds a tensor of random numbers between <paramref name="center"/> - 1/2 and + 1/2.</summary>
    public EditableModel SetRandom(string name, int seed, float center, params long[] shape)
    {
        var random = new Random(seed);
        return Set(name, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => center + random.NextSingle() - 0.5f)], shape);
    }

    /// <summary>Takes a tensor out.</summary>
    public (long[] Shape, float[] Values) Remove(string name)
    {
        var tensor = _tensors[name];
        _tensors.Remove(name);
        return tensor;
    }

    /// <summary>Takes out all tensors that begin so.</summary>
    public void RemoveAll(string start)
    {
        foreach (var name in _tensors.Keys.Where(name => name.StartsWith(start, StringComparison.Ordinal)).ToList())
            _tensors.Remove(name);
    }

    /// <summary>The results of the safetensors form for each of some ids; no tensor may be left unused.</summary>
    public float[] RunSafetensors(int[] ids, bool fuse = true)
    {
        var folder = WriteSafetensors();
        try
        {
            return Run(folder, ids, fuse);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The results of the GGUF form for each of some ids; no tensor may be left unused.</summary>
    public float[] RunGguf(string architecture, int[] ids, bool fuse = true)
    {
        var path = WriteGguf(architecture);
        try
        {
            return Run(path, ids, fuse);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Writes a folder, which the caller deletes.</summary>
    public string WriteSafetensors()
    {
        var folder = Directory.CreateTempSubdirectory("hearth-test-").FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        var writer = new SafetensorsWriter();
        foreach (var (name, (shape, values)) in _tensors)
            writer.AddTensor(name, TensorType.F32, shape, stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
        writer.Write(Path.Combine(folder, "model.safetensors"), TestContext.Current.CancellationToken);
        return folder;
    }

    /// <summary>Writes a GGUF file, which the caller deletes.</summary>
    public string WriteGguf(string architecture)
    {
        var path = Path.Combine(Path.GetTempPath(), $"hearth-{Guid.NewGuid():N}.gguf");
        var writer = new GgufWriter();
        writer.Add("general.architecture", architecture);
        writer.Add("tokenizer.ggml.model", "no_vocab");
        foreach (var (key, value) in Metadata)
            writer.Add($"{architecture}.{key}", value);
        foreach (var (name, (shape, values)) in _tensors)
            writer.AddTensor(name, TensorType.F32, [.. shape.Reverse()], stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())));
        writer.Write(path, TestContext.Current.CancellationToken);
        return path;
    }

    private static float[] Run(string path, int[] ids, bool fuse)
    {
        using var model = Model.Load(path, new ModelOptions { Exact = true, Threads = 2 }, fuse);
        Assert.Empty(model.UnusedTensors);
        using var session = model.CreateSession();
        var results = new float[ids.Length * model.Info.OutputWidth];
        session.Step(ids, results);
        return results;
    }

    private static EditableModel ReadSafetensors(string folder)
    {
        var model = new EditableModel { Config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject() };
        using var file = SafetensorsModel.Open(folder);
        foreach (var tensor in file.Tensors)
            model.Set(tensor.Name, Decode(tensor.Type, tensor.Data.Span(0, checked((int)tensor.Data.Length))), [.. tensor.Shape]);
        return model;
    }

    private static EditableModel ReadGguf(string path)
    {
        var model = new EditableModel();
        using var file = GgufFile.Open(path);
        var start = file.Metadata.FindString("general.architecture") + ".";
        foreach (var key in file.Metadata.Keys.Where(key => key.StartsWith(start, StringComparison.Ordinal)))
        {
            Assert.True(file.Metadata.TryGet(key, out var value));
            model.Metadata[key[start.Length..]] = Copy(value);
        }
        foreach (var tensor in file.Tensors)
            model.Set(tensor.Name, Decode(tensor.Type, tensor.Data.Span(0, checked((int)tensor.Data.Length))), [.. tensor.Dimensions.Reverse()]);
        return model;
    }

    // Out of the file, which is closed before the numbers are used.
    private static object Copy(GgufValue value) => value.Type switch
    {
        GgufValueType.String => value.ToText(),
        GgufValueType.Bool => value.ToBoolean(),
        GgufValueType.Float32 => (float)value.ToNumber(),
        GgufValueType.UInt32 => (uint)value.ToInteger(),
        GgufValueType.Array when value.ElementType == GgufValueType.Int32 => value.ToIntegers(),
        GgufValueType.Array when value.ElementType == GgufValueType.Bool => value.ToBooleans(),
        _ => throw new NotSupportedException($"{value.Type}"),
    };

    private static float[] Decode(TensorType type, ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(1, TensorTypes.BlockSize(type));
        var values = new float[bytes.Length / TensorTypes.BlockBytes(type)];
        BlockFormats.Get(type).Decode(bytes, values);
        return values;
    }
}
