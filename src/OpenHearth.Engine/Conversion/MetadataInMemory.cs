using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Conversion;

/// <summary>Metadata as the reader of GGUF files finds it, before there is a file.</summary>
internal sealed class MetadataInMemory : IDisposable
{
    private readonly NativeBuffer<byte> _bytes;

    /// <param name="keys">Keys and values as <see cref="GgufWriter.Add"/> takes them.</param>
    /// <param name="path">What messages call the file.</param>
    public MetadataInMemory(IEnumerable<KeyValuePair<string, object>> keys, string path)
    {
        var writer = new GgufWriter();
        foreach (var (key, value) in keys)
            writer.Add(key, value);
        using var stream = new MemoryStream();
        writer.Write(stream, CancellationToken.None);
        _bytes = new NativeBuffer<byte>(stream.Length);
        stream.GetBuffer().AsSpan(0, (int)stream.Length).CopyTo(_bytes.Span);
        File = GgufFile.Read(MemoryRegion.Of(_bytes), path);
    }

    /// <summary>A file without tensors.</summary>
    public GgufFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        _bytes.Dispose();
    }
}
