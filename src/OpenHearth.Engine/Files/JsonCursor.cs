using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace OpenHearth.Engine.Files;

/// <summary>
/// Walks through JSON that lies in a mapped file without a copy of it. Whatever is wrong becomes a
/// <see cref="ModelFormatException"/> with the place that the caller has named last and the offset in the file.
/// </summary>
internal ref struct JsonCursor
{
    private const int MaxDepth = 8;
    private readonly string _path;
    private readonly long _start;
    private readonly string _text;
    private Utf8JsonReader _reader;

    /// <param name="path">The file, for messages.</param>
    /// <param name="json">The JSON text.</param>
    /// <param name="start">Where the text starts in the file.</param>
    /// <param name="text">What the text is, for messages.</param>
    public JsonCursor(string path, ReadOnlySpan<byte> json, long start, string text)
    {
        _path = path;
        _start = start;
        _text = text;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!Utf8.IsValid(json))
            throw ModelFormatException.At(path, text, start + InvalidAt(json), "the text is not valid UTF-8");
    }

    /// <summary>The object that is being read, for messages.</summary>
    public string? Item { get; set; }

    /// <summary>The property of <see cref="Item"/> that is being read, for messages.</summary>
    public string? Property { get; set; }

    /// <summary>Where the current token starts in the file.</summary>
    public readonly long Offset => _start + _reader.TokenStartIndex;

    /// <summary>Goes to the next token, which must be of this kind.</summary>
    public void Expect(JsonTokenType type)
    {
        if (Next() != type)
            throw Fail($"expected {Name(type)}, found {Name(_reader.TokenType)}");
    }

    /// <summary>Goes to the next property of an object that has been entered; false at its end.</summary>
    public bool NextProperty() => Next() == JsonTokenType.PropertyName;

    /// <summary>Goes to the next element of an array that has been entered, a whole number from 0 to 2^63 - 1; false at its end.</summary>
    public bool NextNumber(out long number)
    {
        number = 0;
        if (Next() == JsonTokenType.EndArray)
            return false;
        if (_reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out number) || number < 0)
            throw Fail("expected a whole number from 0 to 2^63 - 1");
        return true;
    }

    /// <summary>True where the current property name or string is this one.</summary>
    public readonly bool Is(string text) => _reader.ValueTextEquals(text);

    /// <summary>The current property name or string.</summary>
    public readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Fail("a string has half of a surrogate pair");
        }
    }

    /// <summary>Passes over the next value, whatever it is.</summary>
    public void Skip()
    {
        Next();
        try
        {
            _reader.Skip();
        }
        catch (JsonException failure)
        {
            throw Fail(failure);
        }
    }

    /// <summary>Nothing but white space may follow.</summary>
    public void End()
    {
        try
        {
            _reader.Read();
        }
        catch (JsonException failure)
        {
            throw Fail(failure);
        }
    }

    /// <summary>A failure at the current token.</summary>
    public readonly ModelFormatException Fail(string what) => ModelFormatException.At(_path, Field, Offset, what);

    private readonly string Field => (Item, Property) switch
    {
        (null, null) => _text,
        (null, _) => $"{_text}, '{Property}'",
        (_, null) => $"{_text}, {ModelFormatException.Quote(Item)}",
        _ => $"{_text}, {ModelFormatException.Quote(Item)}, '{Property}'",
    };

    private JsonTokenType Next()
    {
        try
        {
            return _reader.Read() ? _reader.TokenType : throw Fail("the JSON text ends too early");
        }
        catch (JsonException failure)
        {
            throw Fail(failure);
        }
    }

    private readonly ModelFormatException Fail(JsonException failure) =>
        ModelFormatException.At(_path, Field, _start + _reader.BytesConsumed, ModelFormatException.Reason(failure));

    private static string Name(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.EndObject => "the end of an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.EndArray => "the end of an array",
        JsonTokenType.PropertyName => "a property name",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        _ => type.ToString().ToLowerInvariant(),
    };

    private static int InvalidAt(ReadOnlySpan<byte> text)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(text[at..], out _, out var consumed) == OperationStatus.Done)
            at += consumed;
        return at;
    }
}
