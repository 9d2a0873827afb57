using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Conversion;

/// <summary>
/// The tokenizer of a Hugging Face folder in the keys of GGUF files. What those can't spell out, how text is cut and whether a blank comes first,
/// is found by trial: the first way in which a text full of pitfalls becomes the same tokens.
/// </summary>
internal sealed class TokenizerKeys
{
    private const string Keys = "tokenizer.ggml.";

    // Scripts, blanks, digits, contractions, marks, symbols, emoji and letters in two parts.
    private const string Text =
        "Hello world!  It's 1234567 o'clock, we'LL see;\n\n\n \n  don't\t\ttab  \r\n(éte\u0301, naïve, Ünïcode) 3 33 333 3333 33333 ... ??!! === {x_1: [\"a\"]}; // c\n" +
        "ひらがなと漢字、カタカナ。 中文字符123 한국어 텍스트 русский текст עברית العربية हिन्दी ไทย កម្ពុជា 🚀🙂‍↔️ 🇩🇪 ✅ ½ ² ⅷ ①\u00A0nbsp\u200Bzero a\u0085b " +
        "camelCase HTTPServer X's  y'all    four leading\n    indented\n'Tis 'S $100.50 50% a+b=c <tag/> #hash @name user@host.org http://x.y/z?q=1&r=2 \u0000e\u0308nd ";

    /// <summary>What two tokenizers have to make the same of; blanks come first in one of them.</summary>
    internal static readonly string[] Pitfalls = [Text, $"  {Text}"];

    private readonly Dictionary<string, object> _keys = [];
    private readonly SafetensorsSource _source;
    private readonly Tokenizer _tokenizer;

    private TokenizerKeys(SafetensorsSource source) => (_source, _tokenizer) = (source, source.ReadTokenizer());

    /// <summary>Adds the keys of a model's tokenizer and chat template.</summary>
    /// <param name="metadata">Where they go.</param>
    /// <param name="source">The model; one without a tokenizer takes and gives ids, which is said too.</param>
    /// <param name="rows">Rows of the embedding; ids without a token are filled up.</param>
    /// <exception cref="NotSupportedException">GGUF files can't say what the tokenizer does.</exception>
    public static void Add(IDictionary<string, object> metadata, ModelSource source, int rows)
    {
        if (source is SafetensorsSource folder && HasTokenizer(folder.Folder))
        {
            foreach (var (key, value) in new TokenizerKeys(folder).Find(rows))
                metadata[Keys + key] = value;
        }
        else
            metadata[$"{Keys}model"] = "no_vocab";
        if (source.ReadChatTemplate() is { } template)
            metadata["tokenizer.chat_template"] = template;
    }

    private static bool HasTokenizer(string folder) =>
        File.Exists(Path.Combine(folder, "tokenizer.json")) || File.Exists(Path.Combine(folder, "tokenizer.model"));

    private Dictionary<string, object> Find(int rows)
    {
        AddRoles();
        var file = Path.Combine(_source.Folder, "tokenizer.json");
        if (!File.Exists(file))
            throw Refusal("it is in tokenizer.model alone; put the model's tokenizer.json beside it");
        using var document = JsonDocument.Parse(TokenizerFile.Read(file));
        var root = document.RootElement;
        var model = root.Require("model");
        var type = TokenizerJson.TypeOf(model);
        var merges = model.Find("merges");
        if (type is not ("BPE" or "Unigram" or "WordPiece") || (type == "BPE" && merges?.ValueKind != JsonValueKind.Array))
            throw Refusal($"its model is {type}, not BPE, Unigram or WordPiece");
        var isByteLevel = type == "BPE" && Mentions(root, "ByteLevel");
        AddTokens(rows, isByteLevel);
        return type == "Unigram" ? Unigram(root, model)
            : type == "WordPiece" ? WordPiece(root, model)
            : isByteLevel ? ByteLevel(merges!.Value, model.FindFlag("ignore_merges", false))
            : SentencePiece(merges!.Value);
    }

    private static bool Mentions(JsonElement root, string type) =>
        JsonFields.Flatten(root.Find("pre_tokenizer"), "pretokenizers").Concat(JsonFields.Flatten(root.Find("decoder"), "decoders")).Any(step => step.FindText("type") == type);

    private void AddRoles()
    {
        foreach (var (key, id) in (ReadOnlySpan<(string, int?)>)[
            ("bos_token_id", _tokenizer.BosId), ("eos_token_id", _tokenizer.EosId), ("padding_token_id", _tokenizer.PadId), ("unknown_token_id", _tokenizer.UnknownId),
            ("seperator_token_id", _tokenizer.SeparatorId), ("mask_token_id", _tokenizer.MaskId)])
        {
            if (id is { } known)
                _keys[key] = (uint)known;
        }
        // Silence would mean the ids of the first models of each kind.
        _keys.TryAdd("bos_token_id", uint.MaxValue);
        _keys.TryAdd("eos_token_id", uint.MaxValue);
        _keys["add_bos_token"] = _tokenizer.AddBos;
        _keys["add_eos_token"] = _tokenizer.AddEos;
        // Ends that only generation_config.json names; those with a usual name are found by it.
        var others = _tokenizer.EndOfGeneration.Except(EndTokens.Find(_tokenizer.Vocabulary)).Where(id => id != _tokenizer.EosId).Order().ToArray();
        foreach (var (key, id) in ((string[])["eot_token_id", "eom_token_id"]).Zip(others))
            _keys[key] = (uint)id;
    }

    private void AddTokens(int rows, bool isByteLevel)
    {
        var vocabulary = _tokenizer.Vocabulary;
        if (vocabulary.Count > rows)
            throw Refusal($"it has {vocabulary.Count} tokens, the model has embeddings of {rows}");
        var (tokens, kinds) = (new string[rows], new int[rows]);
        for (var id = 0; id < rows; id++)
        {
            var kind = id < vocabulary.Count ? vocabulary.Kind(id) : TokenKind.Unused;
            tokens[id] = kind == TokenKind.Unused ? string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]") : _tokenizer.Piece(id);
            kinds[id] = (int)(kind == TokenKind.Normal && !isByteLevel && ByteFallback.Byte(Encoding.UTF8.GetBytes(tokens[id])) >= 0 ? TokenKind.Byte : kind);
        }
        (_keys["tokens"], _keys["token_type"]) = (tokens, kinds);
    }

    private Dictionary<string, object> ByteLevel(JsonElement merges, bool takesWholeWords)
    {
        _keys["model"] = "gpt2";
        _keys["merges"] = Pairs(merges).Select(pair => $"{pair.Left} {pair.Right}").ToArray();
        foreach (var name in PreTokenizerNames.Distinct.Where(name => PreTokenizerNames.TakesWholeWords(name) == takesWholeWords))
        {
            _keys["pre"] = name;
            if (Agrees())
                return _keys;
        }
        throw Refusal("no pre-tokenizer that GGUF files can name cuts text as it does");
    }

    // A piece's score is the turn in which merges first make it: SentencePiece joins the best piece first.
    private Dictionary<string, object> SentencePiece(JsonElement merges)
    {
        var tokens = (string[])_keys["tokens"];
        var ids = new Dictionary<string, int>();
        for (var id = 0; id < tokens.Length; id++)
            ids[tokens[id]] = id;
        var scores = new float[tokens.Length];
        var turn = 0;
        foreach (var (left, right) in Pairs(merges))
        {
            if (ids.TryGetValue(left + right, out var made) && scores[made] == 0)
                scores[made] = -++turn;
        }
        for (var id = 0; id < scores.Length; id++)
        {
            if (scores[id] == 0 && ((int[])_keys["token_type"])[id] == (int)TokenKind.Normal)
                scores[id] = -++turn;
        }
        (_keys["model"], _keys["pre"], _keys["scores"]) = ("llama", "default", scores);
        foreach (var prefix in (bool[])[true, false])
        {
            _keys["add_space_prefix"] = prefix;
            if (Agrees())
                return _keys;
        }
        throw Refusal("SentencePiece in a GGUF file cuts text in another way");
    }

    // Scores are the model's own; what is done to text before is tried out but for the map of characters.
    private Dictionary<string, object> Unigram(JsonElement root, JsonElement model)
    {
        var scores = new float[((string[])_keys["tokens"]).Length];
        var entries = model.Require("vocab");
        for (var id = 0; id < Math.Min(scores.Length, entries.GetArrayLength()); id++)
            scores[id] = (float)entries[id][1].GetDouble();
        (_keys["model"], _keys["pre"], _keys["scores"]) = ("t5", "default", scores);
        if (JsonFields.Flatten(root.Find("normalizer"), "normalizers").Select(step => step.FindText("precompiled_charsmap")).FirstOrDefault(map => map is not null) is { } map)
            _keys["precompiled_charsmap"] = Convert.FromBase64String(map);
        foreach (var (prefix, collapses) in (ReadOnlySpan<(bool, bool)>)[(true, true), (true, false), (false, true), (false, false)])
        {
            (_keys["add_space_prefix"], _keys["remove_extra_whitespaces"]) = (prefix, collapses);
            if (Agrees())
                return _keys;
        }
        throw Refusal("Unigram in a GGUF file cuts text in another way");
    }

    // There, starts of words are marked, as in SentencePiece, and the rest of them is not.
    private Dictionary<string, object> WordPiece(JsonElement root, JsonElement model)
    {
        const string rest = "##";
        if (model.FindText("continuing_subword_prefix") is not (null or rest))
            throw Refusal($"pieces within words begin with {model.FindText("continuing_subword_prefix")}, not {rest}");
        var (tokens, kinds) = ((string[])_keys["tokens"], (int[])_keys["token_type"]);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (kinds[id] == (int)TokenKind.Normal)
                tokens[id] = tokens[id].StartsWith(rest, StringComparison.Ordinal) && tokens[id] != rest ? tokens[id][rest.Length..] : "\u2581" + tokens[id];
        }
        var cleansUp = JsonFields.Flatten(root.Find("decoder"), "decoders").Any(step => step.FindFlag("cleanup", true));
        (_keys["model"], _keys["pre"], _keys["add_sep_token"]) = ("bert", cleansUp ? "jina-v2-en" : "default", false);
        foreach (var (lowers, strips) in (ReadOnlySpan<(bool, bool)>)[(true, true), (false, false), (true, false), (false, true)])
        {
            (_keys["normalizer.lowercase"], _keys["normalizer.strip_accents"]) = (lowers, strips);
            if (Agrees())
                return _keys;
        }
        throw Refusal("WordPiece in a GGUF file cuts text in another way");
    }

    private static IEnumerable<(string Left, string Right)> Pairs(JsonElement merges)
    {
        foreach (var merge in merges.EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.Array)
            {
                yield return (merge[0].GetString()!, merge[1].GetString()!);
                continue;
            }
            var text = merge.GetString()!;
            var blank = text.IndexOf(' ', 1);
            yield return (text[..blank], text[(blank + 1)..]);
        }
    }

    private bool Agrees()
    {
        using var metadata = new MetadataInMemory(_keys.Select(entry => KeyValuePair.Create(Keys + entry.Key, entry.Value)), _source.Path);
        var other = Tokenizer.FromGguf(metadata.File.Metadata);
        return Array.TrueForAll(Pitfalls, text => other.Encode(text).AsSpan().SequenceEqual(_tokenizer.Encode(text)));
    }

    private NotSupportedException Refusal(string why) => new($"{_source.Path}: the tokenizer can't be written to a GGUF file: {why}.");
}
