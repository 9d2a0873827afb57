namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// The keys and values of a GGUF file. Values stay in the file until asked for. Each getter gives null for a key that
/// is not there and throws <see cref="ModelFormatException"/> for a value of another kind. Thread-safe.
/// </summary>
public sealed class GgufMetadata
{
    private readonly string _path;
    private readonly List<string> _keys;
    private readonly List<GgufValue> _values;
    private readonly Dictionary<string, int> _indexes;

    /// <param name="path">The file, for messages.</param>
    /// <param name="capacity">How many keys will come.</param>
    internal GgufMetadata(string path, int capacity)
    {
        _path = path;
        _keys = new(capacity);
        _values = new(capacity);
        _indexes = new(capacity);
    }

    /// <summary>All keys, in the order of the file.</summary>
    public IReadOnlyCollection<string> Keys => _keys;

    /// <summary>Looks a key up.</summary>
    public bool TryGet(string key, out GgufValue value)
    {
        var found = _indexes.TryGetValue(key, out var index);
        value = found ? _values[index] : default;
        return found;
    }

    /// <summary>Adds a key while the file is being read; false where it is there already.</summary>
    internal bool TryAdd(string key, GgufValue value)
    {
        if (!_indexes.TryAdd(key, _keys.Count))
            return false;
        _keys.Add(key);
        _values.Add(value);
        return true;
    }

    /// <summary>A string.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public string? FindString(string key) => TryGet(key, out var value) ? value.ToText() : null;

    /// <summary>A number without fraction, of any width.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public long? FindInteger(string key) => TryGet(key, out var value) ? value.ToInteger() : null;

    /// <summary>A number of any kind.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public double? FindNumber(string key) => TryGet(key, out var value) ? value.ToNumber() : null;

    /// <summary>A truth value.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public bool? FindBoolean(string key) => TryGet(key, out var value) ? value.ToBoolean() : null;

    /// <summary>An array of strings, left in the file.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public GgufStrings? FindStrings(string key) => TryGet(key, out var value) ? value.ToStrings() : null;

    /// <summary>An array of integers of any width.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind, or an element doesn't fit 32 bits.</exception>
    public int[]? FindIntegers(string key) => TryGet(key, out var value) ? value.ToIntegers() : null;

    /// <summary>An array of numbers of any kind.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public float[]? FindNumbers(string key) => TryGet(key, out var value) ? value.ToNumbers() : null;

    /// <summary>An array of 8-bit integers, as bytes.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public byte[]? FindBytes(string key) => TryGet(key, out var value) ? value.ToBytes() : null;

    /// <summary>An array of truth values.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public bool[]? FindBooleans(string key) => TryGet(key, out var value) ? value.ToBooleans() : null;

    /// <summary>What to throw where a key is needed: <c>FindInteger(key) ?? throw Missing(key)</c>.</summary>
    public ModelFormatException Missing(string key) => new($"{_path}: metadata has no {ModelFormatException.Quote(key)}");
}
