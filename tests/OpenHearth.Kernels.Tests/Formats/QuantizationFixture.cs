using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>One folder of the quantization fixtures: its manifest and the arrays that the manifest points to.</summary>
internal sealed class QuantizationFixture
{
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly string _folder;

    private QuantizationFixture(string folder)
    {
        _folder = folder;
        Manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "manifest.json"))).RootElement;
    }

    public JsonElement Manifest { get; }

    /// <summary>Opens ggml, bitsandbytes or gptq_awq; skips the running test where the fixtures are absent.</summary>
    public static QuantizationFixture Open(string name) => new(Fixtures.Path("fixtures", "quantization", name));

    /// <summary>The bytes of an array.</summary>
    public ReadOnlySpan<byte> Bytes(JsonElement array)
    {
        var name = array.GetProperty("file").GetString()!;
        if (!_files.TryGetValue(name, out var file))
            _files[name] = file = File.ReadAllBytes(Path.Combine(_folder, name));
        return file.AsSpan(array.GetProperty("offset").GetInt32(), array.GetProperty("bytes").GetInt32());
    }

    /// <summary>The elements of an array.</summary>
    public ReadOnlySpan<T> Array<T>(JsonElement array) where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(array));

    /// <summary>The dimensions of an array.</summary>
    public static int[] Shape(JsonElement array) => [.. array.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32())];

    /// <summary>A ggml type of the manifest.</summary>
    public JsonElement Type(string name) =>
        Manifest.GetProperty("types").EnumerateArray().Single(type => type.GetProperty("name").GetString() == name);
}
