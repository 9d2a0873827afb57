using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Conversion;

/// <summary>The tokenizer of a GGUF file as the files of a Hugging Face folder; how text is cut is found by trial, as in <see cref="TokenizerKeys"/>.</summary>
internal sealed class TokenizerFiles
{
    private const string Keys = "tokenizer.ggml.";

    // Source: the tokenizer.json of Llama 3; Qwen's differs in how many digits go together.
    private const string WordsOfLlama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    private readonly GgufSource _source;
    private readonly GgufMetadata _metadata;
    private readonly Tokenizer _tokenizer;

    private TokenizerFiles(GgufSource source) => (_source, _metadata, _tokenizer) = (source, source.File.Metadata, source.ReadTokenizer());

    /// <summary>Names and bytes of the files; none where the model takes and gives ids.</summary>
    /// <exception cref="NotSupportedException">A tokenizer.json can't say what the tokenizer does.</exception>
    public static IReadOnlyDictionary<string, byte[]> Of(GgufSource source) => source.File.Metadata.FindString($"{Keys}model") switch
    {
        null or "no_vocab" => new Dictionary<string, byte[]>(),
        "gpt2" => new TokenizerFiles(source).Files(isByteLevel: true),
        "llama" => new TokenizerFiles(source).Files(isByteLevel: false),
        var kind => throw Refusal(source, $"its kind is {kind}"),
    };

    private Dictionary<string, byte[]> Files(bool isByteLevel) => new()
    {
        ["tokenizer.json"] = isByteLevel ? ByteLevel() : SentencePiece(),
        ["tokenizer_config.json"] = Bytes(Roles()),
        ["generation_config.json"] = Bytes(new JsonObject { ["eos_token_id"] = new JsonArray([.. _tokenizer.EndOfGeneration.Order().Select(id => (JsonNode)id)]) }),
    };

    private JsonObject Roles()
    {
        var roles = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["add_bos_token"] = _tokenizer.AddBos, ["add_eos_token"] = _tokenizer.AddEos };
        foreach (var (key, id) in (ReadOnlySpan<(string, int?)>)[
            ("bos_token", _tokenizer.BosId), ("eos_token", _tokenizer.EosId), ("pad_token", _tokenizer.PadId), ("unk_token", _tokenizer.UnknownId)])
        {
            if (id is { } known)
                roles[key] = _tokenizer.Piece(known);
        }
        if (_source.ReadChatTemplate() is { } template)
            roles["chat_template"] = template;
        return roles;
    }

    private byte[] ByteLevel()
    {
        var merges = _metadata.FindStrings($"{Keys}merges")?.ToArray() ?? throw _metadata.Missing($"{Keys}merges");
        var wholeWords = _metadata.FindString($"{Keys}pre") is { } pre && PreTokenizerNames.TakesWholeWords(pre);
        foreach (var cut in (Func<JsonNode>[])[Words, () => Sequence(Digits(), Words()), () => Sequence(Split(WordsOfLlama3), Letters()), () => Sequence(Split(WordsOfLlama3.Replace("{1,3}", "", StringComparison.Ordinal)), Letters())])
        {
            foreach (var normalizer in (Func<JsonNode?>[])[() => null, () => new JsonObject { ["type"] = "NFC" }])
            {
                var model = new JsonObject { ["type"] = "BPE", ["ignore_merges"] = wholeWords, ["vocab"] = Vocabulary(), ["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)merge)]) };
                var bytes = Bytes(Root(normalizer(), cut(), Letters(), model));
                if (Agrees(bytes))
                    return bytes;
            }
        }
        throw Refusal(_source, "it cuts text in a way that is not known there");
    }

    private byte[] SentencePiece()
    {
        var scores = _metadata.FindNumbers($"{Keys}scores") ?? throw _metadata.Missing($"{Keys}scores");
        JsonObject Replace(string from, string to) => new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = from }, ["content"] = to };
        foreach (var prefix in (bool[])[true, false])
        {
            var normalizers = new JsonArray(Replace(" ", "▁"));
            var decoders = new JsonArray(Replace("▁", " "), new JsonObject { ["type"] = "ByteFallback" }, new JsonObject { ["type"] = "Fuse" });
            if (prefix)
            {
                normalizers.Insert(0, new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" });
                decoders.Add(new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
            }
            var model = new JsonObject { ["type"] = "BPE", ["fuse_unk"] = true, ["byte_fallback"] = true, ["vocab"] = Vocabulary(), ["merges"] = Merges(scores) };
            if (_tokenizer.UnknownId is { } unknown)
                model["unk_token"] = _tokenizer.Piece(unknown);
            var bytes = Bytes(Root(
                new JsonObject { ["type"] = "Sequence", ["normalizers"] = normalizers }, null, new JsonObject { ["type"] = "Sequence", ["decoders"] = decoders }, model));
            if (Agrees(bytes))
                return bytes;
        }
        throw Refusal(_source, "merges join pieces in another order than its scores");
    }

    // All pairs of pieces that make a piece, the best piece first.
    private JsonArray Merges(float[] scores)
    {
        var vocabulary = _tokenizer.Vocabulary;
        var found = new List<(float Score, int Left, int Right)>();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) is not (TokenKind.Normal or TokenKind.UserDefined))
                continue;
            var piece = vocabulary.Piece(id);
            for (var cut = 1; cut < piece.Length; cut++)
            {
                var (left, right) = (vocabulary.Find(piece[..cut]), vocabulary.Find(piece[cut..]));
                if (left >= 0 && right >= 0 && vocabulary.Kind(left) == TokenKind.Normal && vocabulary.Kind(right) == TokenKind.Normal)
                    found.Add((scores[id], left, right));
            }
        }
        return new JsonArray([.. found.OrderByDescending(merge => merge.Score).ThenBy(merge => merge.Left).ThenBy(merge => merge.Right)
            .Select(merge => (JsonNode)$"{_tokenizer.Piece(merge.Left)} {_tokenizer.Piece(merge.Right)}")]);
    }

    private JsonObject Vocabulary()
    {
        var pieces = new JsonObject();
        for (var id = 0; id < _tokenizer.VocabularySize; id++)
            pieces[_tokenizer.Piece(id)] = id;
        return pieces;
    }

    private JsonObject Root(JsonNode? normalizer, JsonNode? cut, JsonNode decoder, JsonNode model)
    {
        var added = new JsonArray();
        for (var id = 0; id < _tokenizer.VocabularySize; id++)
        {
            var kind = _tokenizer.Vocabulary.Kind(id);
            if (kind is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown)
                added.Add(new JsonObject { ["id"] = id, ["content"] = _tokenizer.Piece(id), ["special"] = kind != TokenKind.UserDefined, ["normalized"] = false });
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = normalizer,
            ["pre_tokenizer"] = cut,
            ["post_processor"] = Around(),
            ["decoder"] = decoder,
            ["model"] = model,
        };
    }

    private JsonObject? Around()
    {
        if (!_tokenizer.AddBos || _tokenizer.BosId is not { } bos)
            return null;
        var piece = _tokenizer.Piece(bos);
        JsonObject Sequence(string id) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };
        JsonObject First() => new() { ["SpecialToken"] = new JsonObject { ["id"] = piece, ["type_id"] = 0 } };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(First(), Sequence("A")),
            ["pair"] = new JsonArray(First(), Sequence("A"), Sequence("B")),
            ["special_tokens"] = new JsonObject { [piece] = new JsonObject { ["id"] = piece, ["ids"] = new JsonArray(bos), ["tokens"] = new JsonArray(piece) } },
        };
    }

    private bool Agrees(byte[] file) => TokenizerJson.Load(file).Encode(TokenizerKeys.Pitfalls, addSpecial: false).AsSpan().SequenceEqual(_tokenizer.Encode(TokenizerKeys.Pitfalls, addSpecial: false));

    private static JsonObject Words() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static JsonObject Letters() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false };

    private static JsonObject Digits() => new() { ["type"] = "Digits", ["individual_digits"] = true };

    private static JsonObject Split(string regex) => new() { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = regex }, ["behavior"] = "Isolated", ["invert"] = false };

    private static JsonObject Sequence(JsonNode first, JsonNode second) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(first, second) };

    private static byte[] Bytes(JsonObject document) => Encoding.UTF8.GetBytes(document.ToJsonString(Json));

    private static NotSupportedException Refusal(GgufSource source, string why) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{source.Path}: the tokenizer can't be written as a tokenizer.json: {why}."));
}
