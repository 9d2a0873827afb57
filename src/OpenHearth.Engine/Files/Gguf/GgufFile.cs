using System.Diagnostics.CodeAnalysis;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// A GGUF file, version 2 or 3, of either byte order, mapped into memory. A split file (<c>-00001-of-00003.gguf</c>)
/// opens whole, whichever part is named. Thread-safe; regions and spans end with its disposal.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private readonly List<MappedFile> _maps;
    private readonly List<GgufTensor> _tensors;
    private readonly Dictionary<string, GgufTensor> _byName;

    private GgufFile(string path, List<MappedFile> maps, List<GgufPart> parts)
    {
        Path = path;
        _maps = maps;
        Version = parts[0].Version;
        BigEndian = parts[0].Bytes.BigEndian;
        Metadata = parts[0].Metadata;
        _tensors = parts[0].Tensors;
        foreach (var part in parts)
        {
            FileBytes += part.Bytes.Length;
            if (part != parts[0])
                _tensors.AddRange(part.Tensors);
        }
        _byName = new(_tensors.Count);
        foreach (var tensor in _tensors)
        {
            if (!_byName.TryAdd(tensor.Name, tensor))
                throw ModelFormatException.At(tensor.Path, $"tensor {ModelFormatException.Quote(tensor.Name)}", tensor.Offset, $"the name is there twice, first in {_byName[tensor.Name].Path} at byte {_byName[tensor.Name].Offset}");
        }
    }

    /// <summary>The path given.</summary>
    public string Path { get; }

    /// <summary>The version of the format: 2 or 3.</summary>
    public int Version { get; }

    /// <summary>True where numbers are stored most significant byte first.</summary>
    public bool BigEndian { get; }

    /// <summary>Keys and values; of a split file, those of its first part.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>All tensors, in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors => _tensors;

    /// <summary>Bytes of the file, of all its parts together.</summary>
    public long FileBytes { get; }

    /// <summary>Opens a file and checks all of it but the numbers in the tensors.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="ModelFormatException">It is no GGUF file, is damaged, or a part of it is missing.</exception>
    public static GgufFile Open(string path)
    {
        if (Directory.Exists(path))
            throw new ModelFormatException($"{path} is a folder; a GGUF file was looked for, so name a .gguf file in it");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such file", path);
        List<MappedFile> maps = [];
        try
        {
            var named = Map(path, maps);
            var parts = GgufSplit.Of(named) is { } split ? split.Open(named, other => Map(other, maps)) : [named];
            return new GgufFile(path, maps, parts);
        }
        catch
        {
            maps.ForEach(map => map.Dispose());
            throw;
        }
    }

    /// <summary>Reads a file that is in memory already; the caller keeps it there.</summary>
    internal static GgufFile Read(MemoryRegion region, string path)
    {
        var part = new GgufReader(region, path).Read();
        return GgufSplit.Of(part) is { } split
            ? throw split.Unnamed()
            : new GgufFile(path, [], [part]);
    }

    /// <summary>Looks a tensor up.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out GgufTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>A tensor that must be there and have these dimensions (ggml's order; none given: any).</summary>
    /// <exception cref="ModelFormatException">It is missing or has another shape.</exception>
    public GgufTensor GetTensor(string name, params ReadOnlySpan<long> dimensions)
    {
        if (!_byName.TryGetValue(name, out var tensor))
            throw new ModelFormatException($"{Path}: tensor {ModelFormatException.Quote(name)} is missing");
        if (dimensions.Length > 0 && !dimensions.SequenceEqual([.. tensor.Dimensions]))
            throw ModelFormatException.At(tensor.Path, $"tensor {ModelFormatException.Quote(name)}", tensor.Offset, $"its dimensions are [{string.Join(", ", tensor.Dimensions)}], expected [{string.Join(", ", dimensions.ToArray())}]");
        return tensor;
    }

    /// <summary>Closes the file; its regions and spans must no longer be used.</summary>
    public void Dispose()
    {
        _tensors.ForEach(tensor => tensor.Release());
        _maps.ForEach(map => map.Dispose());
    }

    private static GgufPart Map(string path, List<MappedFile> maps)
    {
        var map = new MappedFile(path);
        maps.Add(map);
        return new GgufReader(map.Region(0, map.Length), path).Read();
    }
}
