using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenHearth.Cli.Chat;

namespace OpenHearth.Cli.Rendering;

/// <summary>How the documents become JSON: made at compile time, which a short start needs.</summary>
[JsonSerializable(typeof(TokensDocument))]
[JsonSerializable(typeof(TextDocument))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(LogitsDocument))]
[JsonSerializable(typeof(EmbeddingsDocument))]
[JsonSerializable(typeof(BenchDocument))]
[JsonSerializable(typeof(InfoDocument))]
[JsonSerializable(typeof(KernelsDocument))]
[JsonSerializable(typeof(ListingDocument))]
[JsonSerializable(typeof(CardDocument))]
[JsonSerializable(typeof(MemoryDocument))]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(PerplexityDocument))]
[JsonSerializable(typeof(SelfTestDocument))]
[JsonSerializable(typeof(ConversionDocument))]
[JsonSerializable(typeof(SavedChat))]
internal sealed partial class JsonDocuments : JsonSerializerContext
{
    /// <summary>Names in snake case, letters of all scripts as they are.</summary>
    public static JsonDocuments Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
