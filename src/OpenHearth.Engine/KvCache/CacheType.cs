using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.KvCache;

/// <summary>How keys or values are kept in the cache; bits a value in brackets.</summary>
public enum CacheType
{
    /// <summary>Single precision (32).</summary>
    F32,

    /// <summary>Half precision (16).</summary>
    F16,

    /// <summary>The upper half of single precision (16).</summary>
    BF16,

    /// <summary>8 bits and a scale for 32 values (8.5).</summary>
    Q8_0,

    /// <summary>4 bits and a scale for 32 values (4.5).</summary>
    Q4_0,
}

/// <summary>The names that command lines and messages use.</summary>
public static class CacheTypes
{
    /// <summary>All names, by <see cref="CacheType"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<CacheType>().Select(type => Format(type).Name)];

    /// <summary>The type of a name; null where there is none.</summary>
    public static CacheType? Find(string name)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (Names[i].Equals(name, StringComparison.OrdinalIgnoreCase))
                return (CacheType)i;
        }
        return null;
    }

    internal static CacheFormat Format(CacheType type) => type switch
    {
        CacheType.F32 => CacheFormat.F32,
        CacheType.F16 => CacheFormat.F16,
        CacheType.BF16 => CacheFormat.BF16,
        CacheType.Q8_0 => CacheFormat.Q8_0,
        CacheType.Q4_0 => CacheFormat.Q4_0,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, $"{type} is no cache type."),
    };
}
