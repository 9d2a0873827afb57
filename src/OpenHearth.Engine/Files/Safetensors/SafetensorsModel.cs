using System.Diagnostics.CodeAnalysis;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// The tensors of a safetensors model, mapped into memory: one file, or shards with or without an index. Thread-safe;
/// regions and spans end with its disposal.
/// </summary>
public sealed class SafetensorsModel : IDisposable
{
    private readonly List<MappedFile> _maps;
    private readonly List<SafetensorsTensor> _tensors = [];
    private readonly Dictionary<string, SafetensorsTensor> _byName = [];

    private SafetensorsModel(string path, List<MappedFile> maps, List<SafetensorsPart> parts)
    {
        Path = path;
        _maps = maps;
        Metadata = parts[0].Metadata;
        FileBytes = parts.Sum(part => part.FileBytes);
        foreach (var tensor in parts.SelectMany(part => part.Tensors))
        {
            if (!_byName.TryAdd(tensor.Name, tensor))
                throw ModelFormatException.At(tensor.Path, $"tensor {ModelFormatException.Quote(tensor.Name)}", tensor.Offset, $"the name is there twice, first in {_byName[tensor.Name].Path} at byte {_byName[tensor.Name].Offset}");
            _tensors.Add(tensor);
        }
    }

    /// <summary>The path given.</summary>
    public string Path { get; }

    /// <summary>The texts under <c>__metadata__</c>; of a sharded model, those of its first shard.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>All tensors, in the order of the headers.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _tensors;

    /// <summary>Bytes of all files together.</summary>
    public long FileBytes { get; }

    /// <summary>
    /// Opens a <c>.safetensors</c> file, a shard (with all others), an index, or a folder that has one of them, and
    /// checks all of it but the numbers in the tensors.
    /// </summary>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="ModelFormatException">It is no safetensors model, is damaged, or a shard is missing or another one's.</exception>
    public static SafetensorsModel Open(string path)
    {
        var shards = SafetensorsShards.Find(path);
        List<MappedFile> maps = [];
        try
        {
            var parts = shards.Files.ConvertAll(file => Map(file, shards, maps));
            var model = new SafetensorsModel(path, maps, parts);
            model.CheckIndex(shards);
            return model;
        }
        catch
        {
            maps.ForEach(map => map.Dispose());
            throw;
        }
    }

    /// <summary>Reads a file that is in memory already; the caller keeps it there.</summary>
    internal static SafetensorsModel Read(MemoryRegion region, string path) =>
        new(path, [], [new SafetensorsReader(region, path).Read()]);

    /// <summary>Looks a tensor up.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out SafetensorsTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>A tensor that must be there and have this shape (row-major; none given: any).</summary>
    /// <exception cref="ModelFormatException">It is missing or has another shape.</exception>
    public SafetensorsTensor GetTensor(string name, params ReadOnlySpan<long> shape)
    {
        if (!_byName.TryGetValue(name, out var tensor))
            throw new ModelFormatException($"{Path}: tensor {ModelFormatException.Quote(name)} is missing");
        if (shape.Length > 0 && !shape.SequenceEqual([.. tensor.Shape]))
            throw ModelFormatException.At(tensor.Path, $"tensor {ModelFormatException.Quote(name)}", tensor.Offset, $"its shape is [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", shape.ToArray())}]");
        return tensor;
    }

    /// <summary>Closes the files; their regions and spans must no longer be used.</summary>
    public void Dispose() => _maps.ForEach(map => map.Dispose());

    private static SafetensorsPart Map(string file, SafetensorsShards shards, List<MappedFile> maps)
    {
        if (!File.Exists(file))
            throw new ModelFormatException($"{shards.Index}: the shard {file} is missing");
        var map = new MappedFile(file);
        maps.Add(map);
        return new SafetensorsReader(map.Region(0, map.Length), file).Read();
    }

    // What the index says must be true: a swapped or foreign shard shows here.
    private void CheckIndex(SafetensorsShards shards)
    {
        foreach (var (name, position) in shards.WeightMap)
        {
            if (!_byName.TryGetValue(name, out var tensor) || tensor.Path != shards.Files[position])
                throw new ModelFormatException($"{shards.Index}: 'weight_map' says that {System.IO.Path.GetFileName(shards.Files[position])} has tensor {ModelFormatException.Quote(name)}, but it has not; the shard is damaged or another one's");
        }
    }
}
