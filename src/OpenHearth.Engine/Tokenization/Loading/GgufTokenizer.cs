using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Builds a tokenizer from the <c>tokenizer.ggml.*</c> keys of a GGUF file.</summary>
internal sealed class GgufTokenizer
{
    private const string Keys = "tokenizer.ggml.";

    private readonly GgufMetadata _metadata;
    private readonly Vocabulary _vocabulary;

    private GgufTokenizer(GgufMetadata metadata)
    {
        _metadata = metadata;
        _vocabulary = ReadVocabulary();
    }

    /// <summary>Builds it.</summary>
    /// <exception cref="ModelFormatException">Something is missing, wrong or unknown.</exception>
    public static Tokenizer Load(GgufMetadata metadata)
    {
        var kind = metadata.FindString(Keys + "model") ?? throw metadata.Missing(Keys + "model");
        var loader = new GgufTokenizer(metadata);
        return kind switch
        {
            "gpt2" => loader.ByteLevel(),
            "llama" => loader.SentencePiece(),
            "gemma4" => loader.CharacterMerges(),
            "t5" => loader.UnigramModel(),
            "bert" => loader.Bert(),
            "rwkv" => loader.Rwkv(),
            _ => throw new ModelFormatException($"{Keys}model: the tokenizer {ModelFormatException.Quote(kind)} is not supported."),
        };
    }

    private Tokenizer ByteLevel()
    {
        var pre = PreTokenizer();
        var wholeWords = PreTokenizerNames.TakesWholeWords(pre) ? _vocabulary : null;
        var special = Special(bos: 11, eos: 11, unknown: null);
        var model = new ByteLevelBpe(ByteLevelBpe.ByteTokens(_vocabulary), ReadMerges(), wholeWords, -1);
        var decoder = new TokenDecoderBuilder(_vocabulary.Count);
        for (var id = 0; id < _vocabulary.Count; id++)
        {
            if (_vocabulary.Kind(id) is TokenKind.Control or TokenKind.UserDefined)
                decoder.Add(_vocabulary.Piece(id));
            else
                decoder.AddByteLevel(_vocabulary.Piece(id));
        }
        TextNormalizer[] normalizers = PreTokenizerNames.ComposesText(pre) ? [new UnicodeNormalizer(composes: true, compatible: false)] : [];
        var pipeline = new TokenizerPipeline(model, normalizers, AddedTokens())
        {
            Splitters = PreTokenizerNames.Find(pre),
            TrimsOffsets = _metadata.FindString("general.architecture") == "gptneox",
        };
        return new Tokenizer(_vocabulary, pipeline, decoder.Build(BlankStripping.None), special);
    }

    // Old files don't name one; GPT-NeoX's tokenizer is cut as MPT's and OLMo's, which are made from it.
    private string PreTokenizer() => _metadata.FindString(Keys + "pre") ?? (_metadata.FindString("general.architecture") switch
    {
        "gptneox" => "mpt",
        "gpt2" or "phi2" => "gpt-2",
        "falcon" => "falcon",
        "starcoder" or "starcoder2" => "starcoder",
        "bloom" => "bloom",
        "qwen2" or "qwen2moe" or "qwen3" or "qwen3moe" => "qwen2",
        _ => "default",
    });

    private float[] Scores()
    {
        var scores = _metadata.FindNumbers(Keys + "scores") ?? throw _metadata.Missing(Keys + "scores");
        if (scores.Length < _vocabulary.Count)
            throw new ModelFormatException($"{Keys}scores has {scores.Length} entries for {_vocabulary.Count} tokens.");
        var bad = Array.FindIndex(scores, s => !float.IsFinite(s));
        return bad < 0 ? scores : throw new ModelFormatException($"{Keys}scores: the score of token {bad} is {scores[bad]}.");
    }

    private TokenDecoder SentencePieceDecoder(BlankStripping stripping)
    {
        var decoder = new TokenDecoderBuilder(_vocabulary.Count);
        for (var id = 0; id < _vocabulary.Count; id++)
            decoder.AddSentencePiece(_vocabulary.Piece(id), _vocabulary.Kind(id));
        return decoder.Build(stripping);
    }

    // Gemma 4: SentencePiece's pieces with ranked merges, of which none crosses a line's end.
    private Tokenizer CharacterMerges()
    {
        var special = Special(bos: null, eos: null, unknown: null);
        var model = new CharacterBpe(_vocabulary, ReadMerges(), ByteFallback.Of(_vocabulary, special.Unknown ?? -1), takesWholeWords: false);
        var splitters = new List<Splitter> { new RunSplitter(new CodePointSet([('\n', '\n')])) };
        if (BlankSplitter.Suits(_vocabulary))
            splitters.Add(new BlankSplitter());
        var pipeline = new TokenizerPipeline(model, [new BlankNormalizer(prefix: false)], AddedTokens()) { Splitters = [.. splitters] };
        return new Tokenizer(_vocabulary, pipeline, SentencePieceDecoder(BlankStripping.None), special);
    }

    private Tokenizer UnigramModel()
    {
        var special = Special(bos: null, eos: 1, unknown: 2);
        var prefix = _metadata.FindBoolean(Keys + "add_space_prefix") ?? true;
        var map = _metadata.FindIntegers(Keys + "precompiled_charsmap");
        var normalizer = new SentencePieceNormalizer
        {
            CharsMap = map is { Length: > 0 } ? new PrecompiledCharsMap([.. map.Select(b => (byte)b)]) : null,
            AddsPrefix = prefix,
            BlankIsSuffix = _metadata.FindBoolean(Keys + "treat_whitespace_as_suffix") ?? false,
            CollapsesBlanks = _metadata.FindBoolean(Keys + "remove_extra_whitespaces") ?? false,
            EndsAtNext = true,
        };
        var model = new Unigram(_vocabulary, Scores(), ByteFallback.Of(_vocabulary, special.Unknown ?? -1));
        var pipeline = new TokenizerPipeline(model, [normalizer], AddedTokens())
        {
            Splitters = !normalizer.BlankIsSuffix && BlankSplitter.Suits(_vocabulary) ? [new BlankSplitter()] : [],
        };
        var stripping = !prefix ? BlankStripping.None : normalizer.CollapsesBlanks ? BlankStripping.All : BlankStripping.One;
        return new Tokenizer(_vocabulary, pipeline, SentencePieceDecoder(stripping), special);
    }

    // The converter has written the start of a word as U+2581 and taken the ## off the rest.
    private Tokenizer Bert()
    {
        var (starts, continuations) = (new ByteTrie(), new ByteTrie());
        var lowers = _metadata.FindBoolean(Keys + "normalizer.lowercase") ?? true;
        var cleansUp = (_metadata.FindString(Keys + "pre") ?? "default") != "default";
        var decoder = new WordPieceDecoderBuilder(_vocabulary.Count, cleansUp);
        for (var id = 0; id < _vocabulary.Count; id++)
        {
            var piece = _vocabulary.Piece(id);
            var isStart = piece.StartsWith(CodePoints.Blank);
            if (isStart)
                piece = piece[CodePoints.Blank.Length..];
            var isNormal = _vocabulary.Kind(id) == TokenKind.Normal;
            if (isNormal && piece.Length > 0)
                (isStart ? starts : continuations).Add(piece, id);
            decoder.Add(piece, isStart || !isNormal);
        }
        var special = Special(bos: 101, eos: null, unknown: 100);
        var unknown = special.Unknown ?? throw _metadata.Missing(Keys + "unknown_token_id");
        var normalizers = BertNormalizer.Sequence(cleans: true, separatesIdeographs: true, lowers,
            stripsAccents: _metadata.FindBoolean(Keys + "normalizer.strip_accents") ?? lowers);
        var pipeline = new TokenizerPipeline(new WordPiece(starts, continuations, unknown, maxCharacters: 100), normalizers, AddedTokens())
        {
            Splitters = [new BertSplitter()],
        };
        return new Tokenizer(_vocabulary, pipeline, decoder.Build(), special);
    }

    private Tokenizer Rwkv()
    {
        var builder = new VocabularyBuilder(_vocabulary.Count);
        for (var id = 0; id < _vocabulary.Count; id++)
            builder.Add(RwkvVocabulary.Unescape(_vocabulary.Piece(id), isBytes: true), id == 0 ? TokenKind.Control : _vocabulary.Kind(id));
        return RwkvVocabulary.Build(builder.Build(), AddedTokens());
    }

    private Tokenizer SentencePiece()
    {
        var scores = Scores();
        var special = Special(bos: 1, eos: 2, unknown: 0);
        var prefix = _metadata.FindBoolean(Keys + "add_space_prefix") ?? true;
        var model = new SentencePieceBpe(_vocabulary, scores, ByteFallback.Of(_vocabulary, special.Unknown ?? -1));
        var pipeline = new TokenizerPipeline(model, [new BlankNormalizer(prefix)], AddedTokens())
        {
            Splitters = BlankSplitter.Suits(_vocabulary) ? [new BlankSplitter()] : [],
        };
        return new Tokenizer(_vocabulary, pipeline, SentencePieceDecoder(prefix ? BlankStripping.One : BlankStripping.None), special);
    }

    private Vocabulary ReadVocabulary()
    {
        var tokens = _metadata.FindStrings(Keys + "tokens") ?? throw _metadata.Missing(Keys + "tokens");
        if (tokens.Count == 0)
            throw new ModelFormatException($"{Keys}tokens is empty.");
        var kinds = _metadata.FindIntegers(Keys + "token_type");
        if (kinds is not null && kinds.Length < tokens.Count)
            throw new ModelFormatException($"{Keys}token_type has {kinds.Length} entries for {tokens.Count} tokens.");
        var builder = new VocabularyBuilder(tokens.Count);
        for (var id = 0; id < tokens.Count; id++)
        {
            var kind = kinds is null ? TokenKind.Normal : (TokenKind)Math.Clamp(kinds[id], 0, 6);
            if (kind == TokenKind.UserDefined && EndTokens.Contains(tokens[id]))
                kind = TokenKind.Control;
            builder.Add(tokens[id], kind);
        }
        return builder.Build();
    }

    private MergeTable ReadMerges()
    {
        var merges = _metadata.FindStrings(Keys + "merges") ?? throw _metadata.Missing(Keys + "merges");
        var table = new MergeTable(merges.Count);
        Span<byte> buffer = new byte[_vocabulary.MaxPieceLength + 1];
        for (var i = 0; i < merges.Count; i++)
            MergeReader.Add(table, _vocabulary, merges[i], buffer, Keys + "merges");
        return table;
    }

    private AddedToken[] AddedTokens()
    {
        var tokens = new List<AddedToken>();
        var isPhi3 = IsPhi3();
        for (var id = 0; id < _vocabulary.Count; id++)
        {
            var kind = _vocabulary.Kind(id);
            if (kind is TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown)
            {
                tokens.Add(new AddedToken(id, _vocabulary.Piece(id).ToArray())
                {
                    IsSpecial = kind != TokenKind.UserDefined,
                    StripsLeft = StripsLeft(_vocabulary.Piece(id)),
                    StripsRight = isPhi3 && !IsAnyOf(_vocabulary.Piece(id), "<unk>"u8, "<s>"u8, "<|endoftext|>"u8),
                });
            }
        }
        return [.. tokens];
    }

    // GGUF has no place for these flags of a tokenizer.json; the families that use them are known by name.
    private bool IsPhi3() => _metadata.FindString("general.name") is { } name
        && (name.Contains("phi-3", StringComparison.OrdinalIgnoreCase) || name.Contains("phi3", StringComparison.OrdinalIgnoreCase));

    private bool StripsLeft(ReadOnlySpan<byte> piece) => piece.SequenceEqual("<mask>"u8)
        && (_metadata.FindString(Keys + "pre") is "jina-v2-de" or "jina-v2-es" or "jina-v2-code"
            || _metadata.FindString("general.architecture") is "nomic-bert-moe" or "jina-bert-v3");

    private static bool IsAnyOf(ReadOnlySpan<byte> piece, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) =>
        piece.SequenceEqual(first) || piece.SequenceEqual(second) || piece.SequenceEqual(third);

    private SpecialTokens Special(int? bos, int? eos, int? unknown)
    {
        bos = Id("bos_token_id", bos);
        eos = Id("eos_token_id", eos);
        var kind = _metadata.FindString(Keys + "model");
        var separator = Id("seperator_token_id", null) ?? Id("separator_token_id", null);
        var addBos = _metadata.FindBoolean(Keys + "add_bos_token")
            ?? kind is "llama" or "bert" or "gemma4" || kind == "gpt2" && PreTokenizerNames.AddsBos(PreTokenizer());
        var addEos = _metadata.FindBoolean(Keys + "add_eos_token") ?? kind == "t5";
        var addSeparator = kind == "bert" && (_metadata.FindBoolean(Keys + "add_sep_token") ?? !addEos);
        var last = addSeparator ? separator : addEos ? eos : null;
        var ends = EndTokens.Find(_vocabulary);
        foreach (var id in (ReadOnlySpan<int?>)[eos, Id("eot_token_id", null), Id("eom_token_id", null)])
        {
            if (id is { } known)
                ends.Add(known);
        }
        return new SpecialTokens
        {
            Bos = bos,
            Eos = eos,
            Pad = Id("padding_token_id", null),
            Unknown = Id("unknown_token_id", unknown),
            Separator = separator,
            Mask = Id("mask_token_id", null),
            Prefix = addBos && bos is { } first ? [first] : [],
            Suffix = last is { } end ? [end] : [],
            EndOfGeneration = ends,
        };
    }

    // An id that the vocabulary doesn't have counts as absent: files write 4294967295 for "none".
    private int? Id(string key, int? otherwise) => (_metadata.FindInteger(Keys + key) ?? otherwise) is { } id && id >= 0 && id < _vocabulary.Count
        ? (int)id
        : null;
}
