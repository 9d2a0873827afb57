namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>
/// Combining classes, decompositions and compositions of Unicode 15.0, because .NET normalizes nothing where it runs
/// without ICU. Read on first use from a resource of variable-length numbers: runs of combining classes (distance,
/// length, class), then the canonical and the compatibility decompositions (distance, twice the length plus one where it
/// is never composed again, distances between the characters as zigzag numbers). Immutable, thread-safe.
/// </summary>
internal sealed class UnicodeNormalizationData
{
    private const int HangulFirst = 0xAC00, HangulCount = 11172, LeadFirst = 0x1100, VowelFirst = 0x1161, TrailFirst = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;

    private static readonly Lazy<UnicodeNormalizationData> Loaded = new(() => new UnicodeNormalizationData());

    private readonly byte[]?[] _classes = new byte[0x1100][];
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int, int), int> _compositions = [];
    private readonly HashSet<int> _notComposed = [];

    private UnicodeNormalizationData()
    {
        using var stream = typeof(UnicodeNormalizationData).Assembly.GetManifestResourceStream("UnicodeNormalization.bin")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var at = 0;
        ReadClasses(bytes, ref at);
        ReadDecompositions(bytes, ref at, _canonical, composes: true);
        ReadDecompositions(bytes, ref at, _compatible, composes: false);
        foreach (var (codePoint, parts) in _canonical)
            _canonical[codePoint] = Expand(parts, _canonical);
        foreach (var (codePoint, parts) in _compatible)
            _compatible[codePoint] = Expand(parts, _compatible);
        foreach (var (codePoint, parts) in _canonical)
            _compatible.TryAdd(codePoint, Expand(parts, _compatible));
    }

    /// <summary>The data.</summary>
    public static UnicodeNormalizationData Instance => Loaded.Value;

    /// <summary>The canonical combining class of a code point.</summary>
    public int CombiningClass(int codePoint) => _classes[codePoint >> 8]?[codePoint & 0xFF] ?? 0;

    /// <summary>The full decomposition of a code point; false where it has none. <paramref name="into"/> has room for 18.</summary>
    public bool TryDecompose(int codePoint, bool compatible, Span<int> into, out int length)
    {
        length = 0;
        if ((uint)(codePoint - HangulFirst) < HangulCount)
        {
            var syllable = codePoint - HangulFirst;
            into[0] = LeadFirst + syllable / (VowelCount * TrailCount);
            into[1] = VowelFirst + syllable % (VowelCount * TrailCount) / TrailCount;
            into[2] = TrailFirst + syllable % TrailCount;
            length = into[2] == TrailFirst ? 2 : 3;
            return true;
        }
        if (!(compatible ? _compatible : _canonical).TryGetValue(codePoint, out var parts))
            return false;
        parts.CopyTo(into);
        length = parts.Length;
        return true;
    }

    /// <summary>The composition of two code points, or -1.</summary>
    public int Compose(int first, int second)
    {
        if ((uint)(first - LeadFirst) < LeadCount && (uint)(second - VowelFirst) < VowelCount)
            return HangulFirst + ((first - LeadFirst) * VowelCount + second - VowelFirst) * TrailCount;
        if ((uint)(first - HangulFirst) < HangulCount && (first - HangulFirst) % TrailCount == 0 && second > TrailFirst && second < TrailFirst + TrailCount)
            return first + second - TrailFirst;
        return _compositions.TryGetValue((first, second), out var composed) ? composed : -1;
    }

    /// <summary>True where text with this code point may not be in its composed form (NFC's quick check is not "yes", or it reorders).</summary>
    public bool MayCompose(int codePoint) => codePoint >= 0x300
        && (CombiningClass(codePoint) != 0 || _notComposed.Contains(codePoint) || codePoint is >= VowelFirst and < TrailFirst + TrailCount);

    private void ReadClasses(byte[] bytes, ref int at)
    {
        var codePoint = 0;
        for (var runs = Number(bytes, ref at); runs > 0; runs--)
        {
            codePoint += Number(bytes, ref at);
            var length = Number(bytes, ref at);
            var value = (byte)Number(bytes, ref at);
            for (var i = codePoint; i < codePoint + length; i++)
                (_classes[i >> 8] ??= new byte[256])[i & 0xFF] = value;
        }
    }

    private void ReadDecompositions(byte[] bytes, ref int at, Dictionary<int, int[]> into, bool composes)
    {
        var codePoint = 0;
        for (var count = Number(bytes, ref at); count > 0; count--)
        {
            codePoint += Number(bytes, ref at);
            var head = Number(bytes, ref at);
            var parts = new int[head >> 1];
            var last = codePoint;
            for (var i = 0; i < parts.Length; i++)
            {
                var zigzag = Number(bytes, ref at);
                last += (zigzag & 1) == 0 ? zigzag >> 1 : -(zigzag + 1 >> 1);
                parts[i] = last;
            }
            into[codePoint] = parts;
            if (!composes)
                continue;
            if ((head & 1) != 0)
                _notComposed.Add(codePoint);
            else
            {
                _compositions[(parts[0], parts[1])] = codePoint;
                _notComposed.Add(parts[1]);
            }
        }
    }

    private int[] Expand(int[] parts, Dictionary<int, int[]> table)
    {
        while (true)
        {
            var changed = false;
            var expanded = new List<int>();
            foreach (var part in parts)
            {
                if (table.TryGetValue(part, out var more) || _canonical.TryGetValue(part, out more))
                {
                    changed = true;
                    expanded.AddRange(more);
                }
                else
                    expanded.Add(part);
            }
            if (!changed)
                return parts;
            parts = [.. expanded];
        }
    }

    private static int Number(byte[] bytes, ref int at)
    {
        var (value, shift) = (0, 0);
        while (true)
        {
            int part = bytes[at++];
            value |= (part & 0x7F) << shift;
            if (part < 0x80)
                return value;
            shift += 7;
        }
    }
}
