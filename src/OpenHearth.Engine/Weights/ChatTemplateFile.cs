using System.Text.Json;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// The chat template in a Hugging Face folder: <c>chat_template.jinja</c>, otherwise <c>chat_template</c> in
/// <c>tokenizer_config.json</c>, a text or a list of named ones of which <c>default</c> is meant.
/// </summary>
internal static class ChatTemplateFile
{
    // tokenizer_config.json lists every added token; the largest known is near 1 MiB.
    private const long LargestFile = 16 << 20;

    /// <summary>The template, or null where there is none.</summary>
    /// <exception cref="ModelFormatException">A file is too large or damaged.</exception>
    public static string? Read(string folder)
    {
        if (Bytes(folder, "chat_template.jinja") is { } template)
            return System.Text.Encoding.UTF8.GetString(template);
        const string Config = "tokenizer_config.json";
        if (Bytes(folder, Config) is not { } config)
            return null;
        try
        {
            using var document = JsonDocument.Parse(config);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("chat_template", out var value))
                return null;
            return value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Array => Default(value),
                _ => throw new ModelFormatException($"{Path.Combine(folder, Config)}: chat_template is neither a text nor a list of named texts"),
            };
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw new ModelFormatException($"{Path.Combine(folder, Config)}: {failure.Message}", failure);
        }
    }

    private static string? Default(JsonElement templates)
    {
        foreach (var entry in templates.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out var name) && entry.TryGetProperty("template", out var template)
                && name.ValueKind == JsonValueKind.String && name.ValueEquals("default"))
                return template.GetString();
        }
        return null;
    }

    private static byte[]? Bytes(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (!file.Exists)
            return null;
        return file.Length <= LargestFile
            ? File.ReadAllBytes(file.FullName)
            : throw new ModelFormatException($"{file.FullName}: {file.Length} bytes are more than such a file can need");
    }
}
