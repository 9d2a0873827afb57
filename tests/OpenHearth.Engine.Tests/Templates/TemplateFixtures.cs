using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Templates;

namespace OpenHearth.Engine.Tests.Templates;

/// <summary>The reference renderings of chat templates and how a template of theirs is found.</summary>
internal static class TemplateFixtures
{
    /// <summary>The moment at which the references were made.</summary>
    public static readonly TemplateOptions AtReferenceTime = new() { Clock = new FixedClock(new(2026, 3, 15, 9, 30, 0, TimeSpan.Zero)) };

    public static JsonElement Json(params string[] parts)
    {
        using var file = File.OpenRead(Fixtures.Path(parts));
        using var stream = parts[^1].EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    /// <summary>The text of a template of <c>expected_*.json.gz</c>, checked against the hash there.</summary>
    public static string Source(JsonElement template)
    {
        var source = template.GetProperty("source").GetString()!.Split('#');
        var text = source[0] switch
        {
            var gguf when gguf.EndsWith(".gguf", StringComparison.Ordinal) => FromGguf(Fixtures.Path("models", "smollm2_135m_instruct", gguf)),
            var lines when lines.EndsWith(".jsonl", StringComparison.Ordinal) => FromLine(lines, int.Parse(source[1], null)),
            var json when json.EndsWith(".json", StringComparison.Ordinal) && source.Length > 1 =>
                Json(["fixtures", .. json.Split('/')])[int.Parse(source[1], null)].GetProperty("template").GetString()!,
            var json when json.EndsWith(".json", StringComparison.Ordinal) => Json(["fixtures", .. json.Split('/')]).GetProperty("chat_template").GetString()!,
            var file => File.ReadAllText(Fixtures.Path(["fixtures", .. file.Split('/')])),
        };
        Assert.Equal(template.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        return text;
    }

    private static string FromLine(string path, int index)
    {
        var line = File.ReadLines(Fixtures.Path(["fixtures", .. path.Split('/')])).ElementAt(index);
        using var entry = JsonDocument.Parse(line);
        return entry.RootElement.GetProperty("chat_template").GetString()!;
    }

    private static string FromGguf(string path)
    {
        var head = new byte[4 << 20];
        using var file = File.OpenRead(path);
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        var key = "tokenizer.chat_template"u8;
        var value = head.AsSpan().IndexOf(key) + key.Length + 4;
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(head.AsSpan(value));
        return Encoding.UTF8.GetString(head, value + 8, length);
    }
}
