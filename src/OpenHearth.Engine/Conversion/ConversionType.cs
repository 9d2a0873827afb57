using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Conversion;

/// <summary>A type that models can be converted to, with the number that <c>general.file_type</c> has for it.</summary>
public sealed record ConversionType
{
    private ConversionType(TensorType type, uint fileType) => (Type, FileType) = (type, fileType);

    /// <summary>All types.</summary>
    public static IReadOnlyList<ConversionType> All { get; } =
    [
        new(TensorType.F32, 0), new(TensorType.F16, 1), new(TensorType.BF16, 32), new(TensorType.Q8_0, 7),
        new(TensorType.Q4_0, 2), new(TensorType.Q4_1, 3), new(TensorType.Q5_0, 8), new(TensorType.Q5_1, 9),
        new(TensorType.Q4_K, 14), new(TensorType.Q5_K, 16), new(TensorType.Q6_K, 18),
    ];

    /// <summary>Its name on a command line.</summary>
    public string Name => Type.ToString().ToLowerInvariant();

    internal TensorType Type { get; }

    internal uint FileType { get; }

    /// <summary>Looks a type up, in any case; null where there is none of the name.</summary>
    public static ConversionType? Find(string name) => All.FirstOrDefault(type => type.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
