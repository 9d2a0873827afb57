using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Reads fields of a tokenizer.json; a field of the wrong kind is a <see cref="ModelFormatException"/> that names it.</summary>
internal static class JsonFields
{
    /// <summary>A field that is there and not null, or null.</summary>
    public static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A field that has to be there.</summary>
    public static JsonElement Require(this JsonElement element, string name) => element.Find(name) ?? throw new ModelFormatException($"'{name}' is missing.");

    /// <summary>A text, or null.</summary>
    public static string? FindText(this JsonElement element, string name) => element.Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, "a text");

    /// <summary>A text that has to be there.</summary>
    public static string RequireText(this JsonElement element, string name) => element.FindText(name) ?? throw new ModelFormatException($"'{name}' is missing.");

    /// <summary>A text as UTF-8.</summary>
    public static byte[] FindBytes(this JsonElement element, string name) => Encoding.UTF8.GetBytes(element.FindText(name) ?? "");

    /// <summary>A truth value.</summary>
    public static bool FindFlag(this JsonElement element, string name, bool otherwise) => element.Find(name)?.ValueKind switch
    {
        null => otherwise,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A whole number, or null.</summary>
    public static int? FindInteger(this JsonElement element, string name) => element.Find(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Wrong(name, "a whole number");

    /// <summary>The elements of an array; none where it is missing.</summary>
    public static IEnumerable<JsonElement> FindAll(this JsonElement element, string name) => element.Find(name) is not { } value ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(name, "an array");

    /// <summary>The exception for a field of the wrong kind.</summary>
    public static ModelFormatException Wrong(string name, string wanted) => new($"'{name}' is not {wanted}.");

    /// <summary>The exception for a type that is not known.</summary>
    public static ModelFormatException Unknown(string field, string? type) =>
        new($"the {field} {ModelFormatException.Quote(type ?? "null")} is not supported.");

    /// <summary>The steps that a component stands for: those of a sequence, in order, or itself.</summary>
    /// <exception cref="ModelFormatException">Sequences are nested too deep.</exception>
    public static IEnumerable<JsonElement> Flatten(JsonElement? component, string members, int depth = 0)
    {
        if (component is not { } step)
            yield break;
        if (depth > 8)
            throw new ModelFormatException($"'{members}' are nested more than 8 deep.");
        if (step.FindText("type") != "Sequence")
        {
            yield return step;
            yield break;
        }
        foreach (var inner in step.FindAll(members))
        {
            foreach (var part in Flatten(inner, members, depth + 1))
                yield return part;
        }
    }
}
