using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Commands;

/// <summary>Inputs that a user gives: JSON files, lists of token ids.</summary>
internal static class JsonInput
{
    private const int DeepestInput = 256;

    /// <summary>A JSON file as a whole.</summary>
    /// <exception cref="Failure">It isn't there, or is no JSON of the kind wanted.</exception>
    public static JsonElement Read(string path, JsonValueKind kind)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path).AsMemory() is var bytes && bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes, new JsonDocumentOptions { MaxDepth = DeepestInput });
            var root = document.RootElement.Clone();
            return root.ValueKind == kind ? root : throw Failure.Because($"{path} holds {Name(root.ValueKind)}; {Name(kind)} was expected.");
        }
        catch (JsonException broken)
        {
            throw Failure.Because($"{path} is no JSON: {broken.Message}", broken);
        }
    }

    /// <summary>A JSON file that holds an array.</summary>
    public static JsonArray Array(string path) => JsonArray.Create(Read(path, JsonValueKind.Array))!;

    /// <summary>A JSON file that holds an object.</summary>
    public static JsonObject Object(string path) => Object(Read(path, JsonValueKind.Object));

    /// <summary>An object, its own keys looked at.</summary>
    public static JsonObject Object(JsonElement item)
    {
        var entries = JsonObject.Create(item)!;
        _ = Unicode(() => entries.Count);
        return entries;
    }

    /// <summary>The text of an item.</summary>
    public static string Text(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.String)
            throw Failure.Because($"A text was expected, not {Name(item.ValueKind)}.");
        return Unicode(() => item.GetString()!);
    }

    private static T Unicode<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException broken)
        {
            throw Failure.Because("A text is no Unicode: it has half of a surrogate pair.", broken);
        }
    }

    /// <summary>The token ids of an item.</summary>
    public static int[] Ids(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Array)
            throw Failure.Because($"An array of token ids was expected, not {Name(item.ValueKind)}.");
        return [.. item.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var value)
            ? value
            : throw Failure.Because($"{id.GetRawText()} is no token id."))];
    }

    /// <summary>Token ids on the command line.</summary>
    /// <exception cref="Failure">Something else than whole numbers between commas.</exception>
    public static int[] Ids(string list) =>
        [.. list.Split([',', ' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries).Select(id =>
            int.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? value
                : throw Failure.WrongCommandLine($"'{id}' is no token id; --ids takes whole numbers between commas."))];

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
