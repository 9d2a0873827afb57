using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>The normalizers of a tokenizer.json.</summary>
/// <param name="isUnigram">
/// The model is SentencePiece's, of which the file is a translation: only spaces are taken off the ends, as it does.
/// </param>
internal sealed class JsonNormalizers(bool isUnigram)
{
    /// <summary>The steps of the field <c>normalizer</c>.</summary>
    /// <exception cref="ModelFormatException">One is damaged or not known.</exception>
    public TextNormalizer[] Read(JsonElement? normalizer) =>
        [.. JsonFields.Flatten(normalizer, "normalizers").SelectMany(Step)];

    /// <summary>A pattern: a fixed text, or a regex.</summary>
    public static (string Text, bool IsRegex) Pattern(JsonElement step)
    {
        var pattern = step.Require("pattern");
        return pattern.FindText("String") is { } text ? (text, false) : (pattern.RequireText("Regex"), true);
    }

    private TextNormalizer[] Step(JsonElement step) => step.FindText("type") switch
    {
        "NFC" => [new UnicodeNormalizer(composes: true, compatible: false)],
        "NFD" => [new UnicodeNormalizer(composes: false, compatible: false)],
        "NFKC" => [new UnicodeNormalizer(composes: true, compatible: true)],
        "NFKD" => [new UnicodeNormalizer(composes: false, compatible: true)],
        "Lowercase" => [CharacterNormalizer.LowerCase],
        "StripAccents" => [CharacterNormalizer.DropMarks],
        "Nmt" => [CharacterNormalizer.Nmt],
        "Strip" => [new EdgeNormalizer
        {
            StripsLeft = step.FindFlag("strip_left", true),
            StripsRight = step.FindFlag("strip_right", true),
            OnlySpaces = isUnigram,
        }],
        "Prepend" => [new EdgeNormalizer { Prefix = step.FindBytes("prepend") }],
        "Replace" => [Replace(step)],
        "Precompiled" => [new CharsMapNormalizer(new PrecompiledCharsMap(CharsMap(step)))],
        "BertNormalizer" => BertNormalizer.Sequence(
            step.FindFlag("clean_text", true),
            step.FindFlag("handle_chinese_chars", true),
            step.FindFlag("lowercase", true),
            step.FindFlag("strip_accents", step.FindFlag("lowercase", true))),
        var type => throw JsonFields.Unknown("normalizer", type),
    };

    private ReplaceNormalizer Replace(JsonElement step)
    {
        var (pattern, isRegex) = Pattern(step);
        if (pattern.Length == 0)
            throw new ModelFormatException("the normalizer 'Replace' has an empty pattern.");
        // Runs of blanks become one; written as a blank it is not taken for a U+2581 of the text itself.
        var content = isUnigram && step.FindText("content") == "▁" ? [(byte)' '] : step.FindBytes("content");
        return new ReplaceNormalizer(Encoding.UTF8.GetBytes(pattern), isRegex ? new UnicodeRegex(pattern) : null, content);
    }

    private static byte[] CharsMap(JsonElement step) =>
        step.Require("precompiled_charsmap").TryGetBytesFromBase64(out var bytes) ? bytes : throw JsonFields.Wrong("precompiled_charsmap", "Base64");
}
