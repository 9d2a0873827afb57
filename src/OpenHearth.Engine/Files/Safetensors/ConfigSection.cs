using System.Text.Json;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// A JSON object of settings. Each getter gives null for a key that is not there or is null, and throws
/// <see cref="ModelFormatException"/> for a value of another kind. Thread-safe.
/// </summary>
public class ConfigSection
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _values;
    private readonly ConfigSection? _fallback;

    /// <param name="path">The file, for messages.</param>
    /// <param name="prefix">What stands before keys in messages: "" or "text_config.".</param>
    /// <param name="values">An object.</param>
    /// <param name="fallback">Where keys are looked for that are not here.</param>
    internal ConfigSection(string path, string prefix, JsonElement values, ConfigSection? fallback = null)
    {
        _path = path;
        _prefix = prefix;
        _values = values;
        _fallback = fallback;
    }

    /// <summary>The file.</summary>
    public string Path => _path;

    /// <summary>The keys of the object itself.</summary>
    public IEnumerable<string> Keys => _values.EnumerateObject().Select(property => property.Name);

    /// <summary>The value of a key for people; of a long one only the beginning.</summary>
    internal string Describe(string key)
    {
        const int longest = 200;
        var text = _values.GetProperty(key).ToString();
        return text.Length <= longest ? text : text[..longest] + "…";
    }

    /// <summary>True where the key is there and not null.</summary>
    public bool Has(string key) => TryGet(key, out _, out _);

    /// <summary>A string.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public string? FindString(string key) => FindObject<string>(key, "a string", TryText);

    /// <summary>A number without fraction; 32.0 counts as 32.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind or doesn't fit 64 bits.</exception>
    public long? FindInteger(string key) => FindValue<long>(key, "a whole number", TryInteger);

    /// <summary>A number; Python's <c>Infinity</c> and transformers' <c>{"__float__": "Infinity"}</c> are numbers, too.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public double? FindNumber(string key) => FindValue<double>(key, "a number", TryNumber);

    /// <summary>A truth value.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public bool? FindBoolean(string key) => FindValue<bool>(key, "true or false", TryBoolean);

    /// <summary>A list of strings.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public string[]? FindStrings(string key) => FindList<string>(key, "a list of strings", TryText);

    /// <summary>A list of whole numbers.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind or a number doesn't fit 64 bits.</exception>
    public long[]? FindIntegers(string key) => FindList<long>(key, "a list of whole numbers", TryInteger);

    /// <summary>A list of whole numbers, or a single one as a list of one: token ids are written both ways.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind or a number doesn't fit 64 bits.</exception>
    public long[]? FindIntegerOrIntegers(string key) =>
        TryGet(key, out var value, out _) && TryInteger(value, out var number)
            ? [number]
            : FindList<long>(key, "a whole number or a list of them", TryInteger);

    /// <summary>A list of numbers.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public double[]? FindNumbers(string key) => FindList<double>(key, "a list of numbers", TryNumber);

    /// <summary>A list of truth values; 0 and 1 count as such.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public bool[]? FindBooleans(string key) => FindList<bool>(key, "a list of true or false", TryBooleanOrBit);

    /// <summary>A nested object.</summary>
    /// <exception cref="ModelFormatException">The value is of another kind.</exception>
    public ConfigSection? FindSection(string key)
    {
        if (!TryGet(key, out var value, out var owner))
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ConfigSection(_path, $"{owner._prefix}{key}.", value)
            : throw owner.WrongKind(key, value, "an object");
    }

    /// <summary>True where the key holds a nested object.</summary>
    public bool HasSection(string key) => TryGet(key, out var value, out _) && value.ValueKind == JsonValueKind.Object;

    /// <summary>True where the key holds a number.</summary>
    internal bool IsNumber(string key) => TryGet(key, out var value, out _) && value.ValueKind == JsonValueKind.Number;

    /// <summary>True where the key holds a list.</summary>
    internal bool IsList(string key) => TryGet(key, out var value, out _) && value.ValueKind == JsonValueKind.Array;

    /// <summary>True where the key holds a list that begins with a truth value.</summary>
    internal bool IsListOfBooleans(string key) =>
        TryGet(key, out var value, out _) && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value[0].ValueKind is JsonValueKind.True or JsonValueKind.False;

    /// <summary>What to throw where a key is needed: <c>FindInteger(key) ?? throw Missing(key)</c>.</summary>
    public ModelFormatException Missing(string key) => new($"{_path}: {ModelFormatException.Quote(_prefix + key)} is missing");

    /// <summary>What to throw where the value of a key can't be used.</summary>
    public ModelFormatException Unusable(string key, string why) => new($"{_path}: {ModelFormatException.Quote(_prefix + key)}: {why}");

    private delegate bool Reading<T>(JsonElement value, out T result);

    private T? FindValue<T>(string key, string expected, Reading<T> read) where T : struct
    {
        if (!TryGet(key, out var value, out var owner))
            return null;
        return read(value, out var result) ? result : throw owner.WrongKind(key, value, expected);
    }

    private T? FindObject<T>(string key, string expected, Reading<T> read) where T : class
    {
        if (!TryGet(key, out var value, out var owner))
            return null;
        return read(value, out var result) ? result : throw owner.WrongKind(key, value, expected);
    }

    private T[]? FindList<T>(string key, string expected, Reading<T> read) =>
        FindObject(key, expected, (JsonElement value, out T[] list) => TryList(value, read, out list));

    private bool TryGet(string key, out JsonElement value, out ConfigSection owner)
    {
        owner = this;
        if (_values.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null)
            return true;
        return _fallback is not null && _fallback.TryGet(key, out value, out owner);
    }

    private ModelFormatException WrongKind(string key, JsonElement value, string expected) =>
        Unusable(key, $"expected {expected}, found {ModelFormatException.Quote(value.GetRawText())}");

    private static bool TryText(JsonElement value, out string text)
    {
        text = "";
        try
        {
            if (value.ValueKind == JsonValueKind.String)
                text = value.GetString()!;
            return value.ValueKind == JsonValueKind.String;
        }
        catch (InvalidOperationException)
        {
            return false; // half of a surrogate pair
        }
    }

    private static bool TryNumber(JsonElement value, out double number)
    {
        number = 0;
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("__float__", out var written) && TryText(written, out var text))
        {
            number = text switch { "Infinity" => double.PositiveInfinity, "-Infinity" => double.NegativeInfinity, _ => double.NaN };
            return true;
        }
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out number);
    }

    private static bool TryInteger(JsonElement value, out long number)
    {
        number = 0;
        if (value.ValueKind != JsonValueKind.Number)
            return false;
        if (value.TryGetInt64(out number))
            return true;
        if (!value.TryGetDouble(out var real) || Math.Abs(real) >= 1L << 53 || Math.Floor(real) != real)
            return false;
        number = (long)real;
        return true;
    }

    private static bool TryBoolean(JsonElement value, out bool truth)
    {
        truth = value.ValueKind == JsonValueKind.True;
        return truth || value.ValueKind == JsonValueKind.False;
    }

    private static bool TryBooleanOrBit(JsonElement value, out bool truth)
    {
        if (!TryInteger(value, out var number))
            return TryBoolean(value, out truth);
        truth = number == 1;
        return number is 0 or 1;
    }

    private static bool TryList<T>(JsonElement value, Reading<T> read, out T[] list)
    {
        list = [];
        if (value.ValueKind != JsonValueKind.Array)
            return false;
        var elements = new T[value.GetArrayLength()];
        var i = 0;
        foreach (var element in value.EnumerateArray())
        {
            if (!read(element, out elements[i++]))
                return false;
        }
        list = elements;
        return true;
    }
}
