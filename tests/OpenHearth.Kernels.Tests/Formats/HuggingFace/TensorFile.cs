using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.Formats.HuggingFace;

/// <summary>The tensors of a safetensors fixture, kept in native memory.</summary>
internal sealed class TensorFile : IDisposable
{
    private readonly NativeBuffer<byte> _data;
    private readonly JsonElement _header;
    private readonly long _start;

    public TensorFile(string path)
    {
        var bytes = File.ReadAllBytes(path);
        _start = 8 + BitConverter.ToInt64(bytes);
        _header = JsonDocument.Parse(bytes.AsMemory(8, (int)_start - 8)).RootElement;
        _data = Native(bytes);
    }

    public MemoryRegion Region(string name)
    {
        var offsets = _header.GetProperty(name).GetProperty("data_offsets");
        return MemoryRegion.Of(_data).Slice(_start + offsets[0].GetInt64(), offsets[1].GetInt64() - offsets[0].GetInt64());
    }

    public T[] Array<T>(string name) where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(Region(name).Span(0, (int)Region(name).Length)).ToArray();

    public string Text(string name) => Encoding.UTF8.GetString(Array<byte>(name));

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(n => n.GetInt32())];

    public static NativeBuffer<byte> Native(ReadOnlySpan<byte> bytes)
    {
        var buffer = new NativeBuffer<byte>(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }

    public void Dispose() => _data.Dispose();
}
