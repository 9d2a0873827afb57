using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>The names that safetensors headers give to number types.</summary>
internal static class SafetensorsTypes
{
    private static readonly Dictionary<string, TensorType> ByName = new()
    {
        ["F64"] = TensorType.F64,
        ["F32"] = TensorType.F32,
        ["F16"] = TensorType.F16,
        ["BF16"] = TensorType.BF16,
        ["F8_E4M3"] = TensorType.F8_E4M3,
        ["F8_E5M2"] = TensorType.F8_E5M2,
        ["I64"] = TensorType.I64,
        ["I32"] = TensorType.I32,
        ["I16"] = TensorType.I16,
        ["I8"] = TensorType.I8,
        ["U64"] = TensorType.U64,
        ["U32"] = TensorType.U32,
        ["U16"] = TensorType.U16,
        ["U8"] = TensorType.U8,
        ["BOOL"] = TensorType.Bool,
    };

    private static readonly Dictionary<TensorType, string> ByType = ByName.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    public static bool TryParse(string name, out TensorType type) => ByName.TryGetValue(name, out type);

    /// <exception cref="ArgumentException">Safetensors has no such type.</exception>
    public static string NameOf(TensorType type) =>
        ByType.TryGetValue(type, out var name) ? name : throw new ArgumentException($"Safetensors has no tensor type {type}.", nameof(type));
}
