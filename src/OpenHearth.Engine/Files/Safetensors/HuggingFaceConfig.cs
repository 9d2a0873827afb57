using System.Text.Json;
using System.Text.Unicode;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// The <c>config.json</c> beside a safetensors model, as transformers 4 and 5 write it. Of a model that reads more
/// than text, the keys of <c>text_config</c> go before those beside it. Thread-safe.
/// </summary>
public sealed class HuggingFaceConfig : ConfigSection
{
    private const int MaxBytes = 1 << 22;

    private HuggingFaceConfig(string path, ConfigSection root, JsonElement text, string prefix, ConfigSection? generation)
        : base(path, prefix, text, root)
    {
        Root = root;
        Generation = generation;
    }

    /// <summary>The whole file, without preference for <c>text_config</c>.</summary>
    public ConfigSection Root { get; }

    /// <summary>The <c>generation_config.json</c> beside it, where there is one.</summary>
    public ConfigSection? Generation { get; }

    /// <summary>The family, such as <c>llama</c> or <c>gemma3_text</c>.</summary>
    /// <exception cref="ModelFormatException">It is missing or no string.</exception>
    public string ModelType => FindString("model_type") ?? throw Missing("model_type");

    /// <summary>The classes that transformers would load; empty where the file doesn't say.</summary>
    /// <exception cref="ModelFormatException">It is no list of strings.</exception>
    public IReadOnlyList<string> Architectures => Root.FindStrings("architectures") ?? FindStrings("architectures") ?? [];

    /// <summary>The number type that the weights were made in, such as <c>bfloat16</c>, where the file says so.</summary>
    /// <exception cref="ModelFormatException">It is no string.</exception>
    public string? Dtype => (FindString("dtype") ?? FindString("torch_dtype"))?.Replace("torch.", "", StringComparison.Ordinal);

    /// <summary>The tokens that end an answer: those of the generation config, else those of the config.</summary>
    /// <exception cref="ModelFormatException">They are no whole numbers.</exception>
    public IReadOnlyList<long> EosTokenIds => Generation?.FindIntegerOrIntegers("eos_token_id") ?? FindIntegerOrIntegers("eos_token_id") ?? [];

    /// <summary>Reads the config at <paramref name="path"/>: the file itself or a folder that has it.</summary>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="ModelFormatException">The folder has no config, or it is no JSON object.</exception>
    public static HuggingFaceConfig Read(string path)
    {
        var file = Directory.Exists(path) ? System.IO.Path.Combine(path, "config.json") : path;
        if (!File.Exists(file))
            throw file == path ? new FileNotFoundException($"{path}: there is no such file", path) : new ModelFormatException($"{path} has no config.json, which says what kind of model it is");
        var generation = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(file) ?? "", "generation_config.json");
        return Parse(ReadFile(file), file, File.Exists(generation) ? new ConfigSection(generation, "", ParseObject(ReadFile(generation), generation)) : null);
    }

    /// <summary>The rotary position embedding of layers of a type.</summary>
    /// <param name="layerType">As in <c>layer_types</c>; null where all layers are alike.</param>
    /// <returns>Null where the file says nothing of rotary positions.</returns>
    /// <exception cref="ModelFormatException">A value is of the wrong kind or impossible.</exception>
    public RopeParameters? Rope(string? layerType = null) => RopeParameters.Read(this, layerType);

    /// <summary>Reads a config that is in memory; its array may be changed.</summary>
    internal static HuggingFaceConfig Parse(byte[] json, string path, ConfigSection? generation = null)
    {
        var values = ParseObject(json, path);
        var root = new ConfigSection(path, "", values);
        return root.HasSection("text_config")
            ? new HuggingFaceConfig(path, root, values.GetProperty("text_config"), "text_config.", generation)
            : new HuggingFaceConfig(path, root, values, "", generation);
    }

    private static byte[] ReadFile(string path)
    {
        var length = new FileInfo(path).Length;
        return length <= MaxBytes
            ? File.ReadAllBytes(path)
            : throw new ModelFormatException($"{path}: the file has {length} bytes; at most {MaxBytes} are read");
    }

    private static JsonElement ParseObject(byte[] json, string path)
    {
        if (!Utf8.IsValid(json))
            throw new ModelFormatException($"{path}: the text is not valid UTF-8");
        ReplaceInfinity(json);
        ReadOnlySpan<byte> text = json;
        if (text.StartsWith("\uFEFF"u8))
            text = text[3..];
        try
        {
            var values = JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return values.ValueKind == JsonValueKind.Object
                ? values
                : throw new ModelFormatException($"{path}: expected an object at byte 0, found {ModelFormatException.Quote(values.GetRawText())}");
        }
        catch (JsonException failure)
        {
            throw new ModelFormatException($"{path}: line {failure.LineNumber + 1}, byte {failure.BytePositionInLine}: {ModelFormatException.Reason(failure)}");
        }
        catch (InvalidOperationException failure) // keys are compared with each other, and one is half of a surrogate pair
        {
            throw new ModelFormatException($"{path}: a key is no Unicode text", failure);
        }
    }

    // Python writes the number Infinity, which JSON has not; 1e999999 is as long and reads as infinity.
    private static void ReplaceInfinity(Span<byte> json)
    {
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (inString && json[i] == '\\')
                i++;
            else if (json[i] == '"')
                inString = !inString;
            else if (!inString && json[i] == 'I' && json[i..].StartsWith("Infinity"u8))
                "1e999999"u8.CopyTo(json[i..]);
        }
    }
}
