using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.PreTokenizers;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Builds a tokenizer from a tokenizer.json of Hugging Face's tokenizers.</summary>
internal sealed class TokenizerJson
{
    private readonly JsonElement _root;
    private readonly JsonElement _model;
    private readonly string _type;
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<int, AddedToken> _added = [];
    private float[] _scores = [];
    private int _unknown = -1;

    private TokenizerJson(JsonElement root)
    {
        _root = root;
        _model = root.Require("model");
        _type = TypeOf(_model);
        ReadAddedTokens();
        _vocabulary = ReadVocabulary();
    }

    private bool IsUnigram => _type == "Unigram";

    /// <summary>What kind of model it has: old files don't name one.</summary>
    /// <param name="model">Its field <c>model</c>.</param>
    public static string TypeOf(JsonElement model) =>
        model.FindText("type") ?? (model.Find("merges") is not null ? "BPE" : model.Find("vocab")?.ValueKind == JsonValueKind.Array ? "Unigram" : "WordPiece");

    /// <summary>True where bytes look like JSON.</summary>
    public static bool Looks(ReadOnlySpan<byte> bytes) => bytes.TrimStart("\uFEFF \t\r\n"u8) is [(byte)'{', ..];

    /// <summary>Builds it; <paramref name="names"/> says which tokens have a role, where the folder does.</summary>
    /// <exception cref="ModelFormatException">The file is damaged, or has a part that is not known.</exception>
    public static Tokenizer Load(ReadOnlyMemory<byte> bytes, TokenRoles? names = null)
    {
        if (bytes.Span.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return new TokenizerJson(document.RootElement).Build(names ?? new TokenRoles());
        }
        catch (JsonException failure)
        {
            throw new ModelFormatException($"this is no JSON: {failure.Message}", failure);
        }
        catch (InvalidOperationException failure)
        {
            // An escaped surrogate without its other half.
            throw new ModelFormatException($"a text in it is no Unicode: {failure.Message}", failure);
        }
    }

    private Tokenizer Build(TokenRoles names)
    {
        var normalizers = new JsonNormalizers(IsUnigram).Read(_root.Find("normalizer"));
        var cuts = new JsonPreTokenizers(_root.Find("pre_tokenizer"), IsUnigram);
        var around = new JsonPostProcessors(_root.Find("post_processor"), _vocabulary.Count);
        var last = cuts.Last.ToList();
        if (_type == "BPE" && !cuts.IsByteLevel && BlankSplitter.Suits(_vocabulary))
            last.Add(new BlankSplitter());
        Splitter[] first = cuts.Rewriter is null ? [.. cuts.First, .. last] : cuts.First;
        var pipeline = new TokenizerPipeline(Model(cuts.IsByteLevel), normalizers, [.. _added.Values])
        {
            Splitters = first,
            Rewriter = cuts.Rewriter,
            LastSplitters = cuts.Rewriter is null ? [] : [.. last],
            TrimsOffsets = around.TrimsOffsets,
        };
        var decoder = JsonDecoders.Read(_root.Find("decoder"), _vocabulary, pipeline.AddedTokens.ToDictionary(t => t.Id, t => t.Content), IsUnigram);
        return new Tokenizer(_vocabulary, pipeline, decoder, names.Resolve(_vocabulary, _unknown, around.Prefix, around.Suffix));
    }

    private TokenModel Model(bool isByteLevel) => _type switch
    {
        "BPE" when isByteLevel => new ByteLevelBpe(ByteLevelBpe.ByteTokens(_vocabulary), ReadMerges(), WholeWords ? _vocabulary : null, _unknown),
        "BPE" => new CharacterBpe(_vocabulary, ReadMerges(), Fallback(_model.FindFlag("fuse_unk", false)), WholeWords),
        "Unigram" => new Unigram(_vocabulary, _scores, Fallback(fuses: true), isSingle: !IsOldTranslation),
        "WordPiece" => WordPieces(),
        "WordLevel" => new WordLevel(_vocabulary, _unknown),
        _ => throw JsonFields.Unknown("model", _type),
    };

    // T5's file cuts at blanks first. Its ids are known from programs that sum in 64 bits; those of later translations are
    // held to SentencePiece's, which sums in 32.
    private bool IsOldTranslation => JsonFields.Flatten(_root.Find("pre_tokenizer"), "pretokenizers").Any(s => s.FindText("type") == "WhitespaceSplit");

    private bool WholeWords => _model.FindFlag("ignore_merges", false);

    private ByteFallback Fallback(bool fuses) => ByteFallback.Of(_vocabulary, _unknown, _model.FindFlag("byte_fallback", false), fuses, keepsRuns: IsUnigram);

    private WordPiece WordPieces()
    {
        if (_unknown < 0)
            throw new ModelFormatException("model: 'unk_token' is missing or not in the vocabulary.");
        var prefix = _model.FindBytes("continuing_subword_prefix");
        var (starts, continuations) = (new ByteTrie(), new ByteTrie());
        for (var id = 0; id < _vocabulary.Count; id++)
        {
            var piece = _vocabulary.Piece(id);
            if (piece.Length == 0 || _vocabulary.Kind(id) == TokenKind.Unused)
                continue;
            starts.Add(piece, id);
            if (prefix.Length < piece.Length && piece.StartsWith(prefix))
                continuations.Add(piece[prefix.Length..], id);
        }
        return new WordPiece(starts, continuations, _unknown, _model.FindInteger("max_input_chars_per_word") ?? 100);
    }

    private void ReadAddedTokens()
    {
        foreach (var token in _root.FindAll("added_tokens"))
        {
            var content = token.RequireText("content");
            var id = token.FindInteger("id") ?? throw new ModelFormatException($"the added token {ModelFormatException.Quote(content)} has no 'id'.");
            var bytes = Encoding.UTF8.GetBytes(content);
            _added[Checked(id, content)] = new AddedToken(id, bytes)
            {
                // An end of text that its file forgets to call special must not be taken from anybody's text.
                IsSpecial = token.FindFlag("special", false) || EndTokens.Contains(bytes),
                StripsLeft = token.FindFlag("lstrip", false),
                StripsRight = token.FindFlag("rstrip", false),
                IsSingleWord = token.FindFlag("single_word", false),
                IsNormalized = token.FindFlag("normalized", true),
            };
        }
    }

    private Vocabulary ReadVocabulary()
    {
        var pieces = new List<string?>();
        var vocabulary = _model.Require("vocab");
        if (IsUnigram)
            ReadUnigram(vocabulary, pieces);
        else if (vocabulary.ValueKind == JsonValueKind.Object)
        {
            foreach (var entry in vocabulary.EnumerateObject())
            {
                var id = entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var number) ? number : -1;
                Set(pieces, Checked(id, entry.Name), entry.Name);
            }
        }
        else
            throw JsonFields.Wrong("vocab", "an object");
        foreach (var token in _added.Values)
            Set(pieces, token.Id, Encoding.UTF8.GetString(token.Content));
        if (pieces.Count == 0)
            throw new ModelFormatException("'vocab' is empty.");
        _unknown = _model.FindText("unk_token") is { } unknown ? pieces.IndexOf(unknown) : _model.FindInteger("unk_id") ?? -1;
        if (_unknown >= pieces.Count)
            throw new ModelFormatException($"'unk_id' is {_unknown}; the vocabulary has {pieces.Count} tokens.");
        var builder = new VocabularyBuilder(pieces.Count);
        for (var id = 0; id < pieces.Count; id++)
        {
            var bytes = Encoding.UTF8.GetBytes(pieces[id] ?? "");
            builder.Add(bytes, pieces[id] is null ? TokenKind.Unused : Kind(id, bytes));
        }
        return builder.Build();
    }

    private TokenKind Kind(int id, byte[] piece)
    {
        if (id == _unknown)
            return TokenKind.Unknown;
        if (_added.TryGetValue(id, out var added))
            return added.IsSpecial ? TokenKind.Control : TokenKind.UserDefined;
        return IsUnigram && _model.FindFlag("byte_fallback", false) && ByteFallback.Byte(piece) >= 0 ? TokenKind.Byte : TokenKind.Normal;
    }

    private void ReadUnigram(JsonElement vocabulary, List<string?> pieces)
    {
        if (vocabulary.ValueKind != JsonValueKind.Array)
            throw JsonFields.Wrong("vocab", "an array");
        var scores = new List<float>();
        foreach (var entry in vocabulary.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[0].ValueKind != JsonValueKind.String
                || entry[1].ValueKind != JsonValueKind.Number || !entry[1].TryGetDouble(out var score) || !float.IsFinite((float)score))
            {
                throw new ModelFormatException($"entry {pieces.Count} of 'vocab' is not a piece and its score.");
            }
            Set(pieces, Checked(pieces.Count, ""), entry[0].GetString()!);
            scores.Add((float)score);
        }
        _scores = new float[Math.Max(pieces.Count, _added.Count == 0 ? 0 : _added.Keys.Max() + 1)];
        scores.CopyTo(_scores);
    }

    private static void Set(List<string?> pieces, int id, string piece)
    {
        while (pieces.Count <= id)
            pieces.Add(null);
        pieces[id] = piece;
    }

    private static int Checked(int id, string piece) => id is >= 0 and < Vocabulary.MaxCount
        ? id
        : throw new ModelFormatException($"the token {ModelFormatException.Quote(piece)} has no id from 0 to {Vocabulary.MaxCount - 1}.");

    private MergeTable ReadMerges()
    {
        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (!string.IsNullOrEmpty(_model.FindText(name)))
                throw new ModelFormatException($"a BPE with '{name}' is not supported.");
        }
        var merges = _model.Require("merges");
        if (merges.ValueKind != JsonValueKind.Array)
            throw JsonFields.Wrong("merges", "an array");
        var table = new MergeTable(merges.GetArrayLength());
        var buffer = new byte[_vocabulary.MaxPieceLength + 1];
        foreach (var merge in merges.EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.String)
                MergeReader.Add(table, _vocabulary, Encoding.UTF8.GetBytes(merge.GetString()!), buffer, "merges");
            else if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
                && merge[0].ValueKind == JsonValueKind.String && merge[1].ValueKind == JsonValueKind.String)
            {
                MergeReader.Add(table, _vocabulary, Encoding.UTF8.GetBytes(merge[0].GetString()!), Encoding.UTF8.GetBytes(merge[1].GetString()!), buffer, "merges");
            }
            else
                throw new ModelFormatException($"entry {table.Count} of 'merges' is not two pieces.");
        }
        return table;
    }
}
