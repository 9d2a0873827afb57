using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Reads variables from JSON, integers and floats kept apart. Used once.</summary>
internal sealed class JsonValues
{
    /// <summary>Characters read, with 16 for each value; limits grow with it.</summary>
    public long Size { get; private set; }

    public Dictionary<string, Value> ReadObject(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Errors.Value($"the variables of a template are a JSON object, not {element.ValueKind}");
        var variables = new Dictionary<string, Value>();
        foreach (var property in element.EnumerateObject())
            variables[Text(static property => property.Name, property)] = Read(property.Value, 1);
        return variables;
    }

    public Dictionary<string, Value> ReadObject(JsonObject node)
    {
        var variables = new Dictionary<string, Value>();
        foreach (var (name, value) in Entries(node))
            variables[name] = Read(value, 1);
        return variables;
    }

    /// <summary>Reads a number as Python's <c>json</c> does: an integer unless there is a point or an exponent.</summary>
    private static Value Number(string text)
    {
        if (text.AsSpan().IndexOfAny(".eE") >= 0)
            return new FloatValue(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
        if (text.Length > 4300)
            throw Errors.Value("an integer of more than 4300 digits in the variables");
        return IntegerValue.Of(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    private static string Text<T>(Func<T, string?> read, T source)
    {
        try
        {
            return read(source) ?? "";
        }
        catch (InvalidOperationException)
        {
            throw Errors.Value("a string in the variables is no valid Unicode (an unpaired surrogate)");
        }
    }

    // An object that was read from JSON looks at its keys when they are first asked for.
    private static JsonObject Entries(JsonObject node)
    {
        _ = Text(static entries => entries.Count > 0 ? "" : null, node);
        return node;
    }

    private Value Read(JsonElement element, int depth)
    {
        Size += 16;
        Sequence.CheckDepth(depth);
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new DictValue();
                foreach (var property in element.EnumerateObject())
                    dict.Set(String(Text(static property => property.Name, property)), Read(property.Value, depth + 1));
                return dict;
            case JsonValueKind.Array:
                var items = new Value[element.GetArrayLength()];
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    items[index++] = Read(item, depth + 1);
                return new ListValue(items);
            case JsonValueKind.String:
                return String(Text(static element => element.GetString(), element));
            case JsonValueKind.Number:
                return Number(element.GetRawText());
            case JsonValueKind.True or JsonValueKind.False:
                return BooleanValue.Of(element.ValueKind == JsonValueKind.True);
            default:
                return NoneValue.Instance;
        }
    }

    private Value Read(JsonNode? node, int depth)
    {
        Size += 16;
        Sequence.CheckDepth(depth);
        switch (node)
        {
            case null:
                return NoneValue.Instance;
            case JsonObject entries:
                var dict = new DictValue(Entries(entries).Count);
                foreach (var (name, value) in entries)
                    dict.Set(String(name), Read(value, depth + 1));
                return dict;
            case JsonArray list:
                var items = new Value[list.Count];
                for (var i = 0; i < items.Length; i++)
                    items[i] = Read(list[i], depth + 1);
                return new ListValue(items);
            case JsonValue value when value.TryGetValue<JsonElement>(out var element):
                return Read(element, depth);
            case JsonValue value when value.TryGetValue<string>(out var text):
                return String(text);
            case JsonValue value when value.TryGetValue<double>(out var real):
                return new FloatValue(real);
            case JsonValue value when value.TryGetValue<float>(out var single):
                return new FloatValue(single);
            default:
                using (var document = JsonDocument.Parse(node.ToJsonString()))
                    return Read(document.RootElement, depth);
        }
    }

    private StringValue String(string text)
    {
        Size += text.Length;
        return StringValue.Of(text);
    }
}
