using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>A tensor of a safetensors file. Thread-safe; its data lives as long as the model is open.</summary>
public sealed class SafetensorsTensor
{
    internal SafetensorsTensor(string path, string name, TensorType type, long[] shape, long offset, MemoryRegion data)
    {
        Path = path;
        Name = name;
        Type = type;
        Shape = shape;
        Offset = offset;
        Data = data;
    }

    /// <summary>The name, unique in the model.</summary>
    public string Name { get; }

    /// <summary>How the numbers are stored, little-endian.</summary>
    public TensorType Type { get; }

    /// <summary>The dimensions, row-major: the length of a row last.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The file that has the tensor.</summary>
    public string Path { get; }

    /// <summary>Where the data starts in its file.</summary>
    public long Offset { get; }

    /// <summary>The data, a part of the mapped file.</summary>
    public MemoryRegion Data { get; }
}
