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
    private const char Blank = '▁';

    // Source: the tokenizer.json of Llama 3; Qwen's differs in how many digits go together.
    private const string WordsOfLlama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    private readonly GgufSource _source;
    private readonly GgufMetadata _metadata;
    private readonly Tokenizer _tokenizer;

    private readonly string _kind;

    private TokenizerFiles(GgufSource source, string kind) => (_source, _metadata, _tokenizer, _kind) = (source, source.File.Metadata, source.ReadTokenizer(), kind);

    /// <summary>Names and bytes of the files; none where the model takes and gives ids.</summary>
    /// <param name="source">The file.</param>
    /// <param name="isEncoder">It ends no answers.</param>
    /// <exception cref="NotSupportedException">A tokenizer.json can't say what the tokenizer does.</exception>
    public static IReadOnlyDictionary<string, byte[]> Of(GgufSource source, bool isEncoder) => source.File.Metadata.FindString($"{Keys}model") switch
    {
        null or "no_vocab" => new Dictionary<string, byte[]>(),
        var kind => new TokenizerFiles(source, kind).Files(isEncoder),
    };

    private Dictionary<string, byte[]> Files(bool isEncoder)
    {
        var files = new Dictionary<string, byte[]>
        {
            ["tokenizer.json"] = _kind switch
            {
                "gpt2" => ByteLevel(),
                "llama" => SentencePiece(),
                "bert" => WordPiece(),
                "t5" => Unigram(),
                _ => throw Refusal(_source, $"its kind is {_kind}"),
            },
            ["tokenizer_config.json"] = Bytes(Roles(isEncoder)),
        };
        if (!isEncoder)
            files["generation_config.json"] = Bytes(new JsonObject { ["eos_token_id"] = new JsonArray([.. _tokenizer.EndOfGeneration.Order().Select(id => (JsonNode)id)]) });
        return files;
    }

    private JsonObject Roles(bool isEncoder)
    {
        var roles = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["add_bos_token"] = _tokenizer.AddBos, ["add_eos_token"] = _tokenizer.AddEos };
        foreach (var (key, id) in (ReadOnlySpan<(string, int?)>)[
            ("bos_token", _tokenizer.BosId), ("eos_token", _tokenizer.EosId), ("pad_token", _tokenizer.PadId), ("unk_token", _tokenizer.UnknownId),
            ("cls_token", isEncoder ? _tokenizer.BosId : null), ("sep_token", _tokenizer.SeparatorId), ("mask_token", _tokenizer.MaskId)])
        {
            if (id is { } known)
                roles[key] = _tokenizer.Piece(known);
        }
        // Texts are cut there, and the class's default has segments, which not all models take.
        if (isEncoder && _source.FindContextLength() is { } length)
            roles["model_max_length"] = length;
        if (_kind != "bert")
            roles["model_input_names"] = new JsonArray("input_ids", "attention_mask");
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

    // GGUF files mark the starts of words, and not the rest of them.
    private byte[] WordPiece()
    {
        const string rest = "##";
        var unknown = _tokenizer.UnknownId ?? throw _metadata.Missing($"{Keys}unknown_token_id");
        var pieces = new JsonObject();
        for (var id = 0; id < _tokenizer.VocabularySize; id++)
        {
            var piece = _tokenizer.Piece(id);
            // llama.cpp's older converters leave the mark out of [unused1], which no text is cut into.
            var isRest = _tokenizer.Vocabulary.Kind(id) == TokenKind.Normal && !piece.StartsWith(Blank) && !(piece.StartsWith('[') && piece.EndsWith(']'));
            pieces[isRest ? rest + piece : piece.StartsWith(Blank) ? piece[1..] : piece] = id;
        }
        var lowers = _metadata.FindBoolean($"{Keys}normalizer.lowercase") ?? true;
        var normalizer = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = _metadata.FindBoolean($"{Keys}normalizer.strip_accents"), ["lowercase"] = lowers };
        var decoder = new JsonObject { ["type"] = "WordPiece", ["prefix"] = rest, ["cleanup"] = _metadata.FindString($"{Keys}pre") is not (null or "default") };
        var model = new JsonObject { ["type"] = "WordPiece", ["unk_token"] = _tokenizer.Piece(unknown), ["continuing_subword_prefix"] = rest, ["max_input_chars_per_word"] = 100, ["vocab"] = pieces };
        var bytes = Bytes(Root(normalizer, new JsonObject { ["type"] = "BertPreTokenizer" }, decoder, model));
        return Agrees(bytes) ? bytes : throw Refusal(_source, "WordPiece there cuts text in another way");
    }

    private byte[] Unigram()
    {
        var scores = _metadata.FindNumbers($"{Keys}scores") ?? throw _metadata.Missing($"{Keys}scores");
        var steps = new JsonArray();
        if (_metadata.FindIntegers($"{Keys}precompiled_charsmap") is { Length: > 0 } map)
            steps.Add(new JsonObject { ["type"] = "Precompiled", ["precompiled_charsmap"] = Convert.ToBase64String([.. map.Select(value => (byte)value)]) });
        var prefix = _metadata.FindBoolean($"{Keys}add_space_prefix") ?? true;
        var collapses = _metadata.FindBoolean($"{Keys}remove_extra_whitespaces") ?? false;
        if (collapses)
        {
            steps.Add(new JsonObject { ["type"] = "Strip", ["strip_left"] = true, ["strip_right"] = true });
            steps.Add(new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["Regex"] = " {2,}" }, ["content"] = $"{Blank}" });
        }
        else if (prefix)
            steps.Add(new JsonObject { ["type"] = "Prepend", ["prepend"] = $"{Blank}" }); // Metaspace has none before a blank
        JsonObject Metaspace(bool prepends) => new() { ["type"] = "Metaspace", ["replacement"] = $"{Blank}", ["prepend_scheme"] = prepends ? "always" : "never", ["split"] = true };
        var model = new JsonObject { ["type"] = "Unigram", ["unk_id"] = _tokenizer.UnknownId, ["vocab"] = Scored(scores), ["byte_fallback"] = Any(TokenKind.Byte) };
        var bytes = Bytes(Root(new JsonObject { ["type"] = "Sequence", ["normalizers"] = steps }, Metaspace(prefix && collapses), Metaspace(prefix), model));
        return Agrees(bytes) ? bytes : throw Refusal(_source, "Unigram there cuts text in another way");
    }

    // Ids that fill the embedding up are no pieces; those before others have to be, and are the least likely.
    private JsonArray Scored(float[] scores)
    {
        var vocabulary = _tokenizer.Vocabulary;
        var count = vocabulary.Count;
        while (count > 0 && vocabulary.Kind(count - 1) == TokenKind.Unused)
            count--;
        var least = Enumerable.Range(0, count).Where(id => vocabulary.Kind(id) == TokenKind.Normal).Select(id => scores[id]).DefaultIfEmpty().Min();
        return new JsonArray([.. Enumerable.Range(0, count).Select(id => new JsonArray(_tokenizer.Piece(id), vocabulary.Kind(id) == TokenKind.Unused ? least : scores[id]))]);
    }

    private bool Any(TokenKind kind) => Enumerable.Range(0, _tokenizer.VocabularySize).Any(id => _tokenizer.Vocabulary.Kind(id) == kind);

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
        // Hugging Face's tokenizers want every flag said.
        var added = new JsonArray([.. _tokenizer.AddedTokens.OrderBy(token => token.Id).Select(token => new JsonObject
        {
            ["id"] = token.Id,
            ["content"] = _tokenizer.Piece(token.Id),
            ["single_word"] = token.IsSingleWord,
            ["lstrip"] = token.StripsLeft,
            ["rstrip"] = token.StripsRight,
            ["normalized"] = token.IsNormalized,
            ["special"] = token.IsSpecial,
        })]);
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
        var (before, behind) = (_tokenizer.Prefix, _tokenizer.Suffix);
        if (before.Length == 0 && behind.Length == 0)
            return null;
        JsonObject Part(string kind, string id, int segment) => new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = segment } };
        IEnumerable<JsonNode> Tokens(int[] ids, int segment) => ids.Select(id => Part("SpecialToken", _tokenizer.Piece(id), segment));
        // BERT's second text is of another segment; RoBERTa puts two ends between texts.
        var second = _kind == "bert" ? 1 : 0;
        var between = before.Length == 1 && _tokenizer.Piece(before[0]) == "<s>" ? behind : [];
        var special = new JsonObject();
        foreach (var id in before.Concat(behind).Distinct())
            special[_tokenizer.Piece(id)] = new JsonObject { ["id"] = _tokenizer.Piece(id), ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(_tokenizer.Piece(id)) };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. Tokens(before, 0), Part("Sequence", "A", 0), .. Tokens(behind, 0)]),
            ["pair"] = new JsonArray([.. Tokens(before, 0), Part("Sequence", "A", 0), .. Tokens(behind, 0), .. Tokens(between, 0), Part("Sequence", "B", second), .. Tokens(behind, second)]),
            ["special_tokens"] = special,
        };
    }

    private bool Agrees(byte[] file)
    {
        var written = TokenizerJson.Load(file);
        return Array.TrueForAll(TokenizerKeys.Pitfalls, text => written.Encode(text).AsSpan().SequenceEqual(_tokenizer.Encode(text)));
    }

    private static JsonObject Words() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static JsonObject Letters() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false };

    private static JsonObject Digits() => new() { ["type"] = "Digits", ["individual_digits"] = true };

    private static JsonObject Split(string regex) => new() { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = regex }, ["behavior"] = "Isolated", ["invert"] = false };

    private static JsonObject Sequence(JsonNode first, JsonNode second) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(first, second) };

    private static byte[] Bytes(JsonObject document) => Encoding.UTF8.GetBytes(document.ToJsonString(Json));

    private static NotSupportedException Refusal(GgufSource source, string why) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{source.Path}: the tokenizer can't be written as a tokenizer.json: {why}."));
}
