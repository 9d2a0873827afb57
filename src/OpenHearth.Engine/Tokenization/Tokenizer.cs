using System.Runtime.InteropServices;
using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>Text to token ids and back, as the model's own tokenizer does it. Immutable, thread-safe.</summary>
public sealed class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly TokenizerPipeline _pipeline;
    private readonly TokenDecoder _decoder;
    private readonly SpecialTokens _special;

    internal Tokenizer(Vocabulary vocabulary, TokenizerPipeline pipeline, TokenDecoder decoder, SpecialTokens special) =>
        (_vocabulary, _pipeline, _decoder, _special) = (vocabulary, pipeline, decoder, special);

    internal Vocabulary Vocabulary => _vocabulary;

    /// <summary>Ids put before a text.</summary>
    internal int[] Prefix => _special.Prefix;

    /// <summary>Ids put behind a text.</summary>
    internal int[] Suffix => _special.Suffix;

    /// <summary>Tokens that are cut out of a text before the model sees it.</summary>
    internal IReadOnlyList<AddedToken> AddedTokens => _pipeline.AddedTokens;

    /// <summary>Number of ids.</summary>
    public int VocabularySize => _vocabulary.Count;

    /// <summary>The token that begins a text.</summary>
    public int? BosId => _special.Bos;

    /// <summary>The token that ends a text.</summary>
    public int? EosId => _special.Eos;

    /// <summary>The token that fills rows up.</summary>
    public int? PadId => _special.Pad;

    /// <summary>The token for what the vocabulary can't say.</summary>
    public int? UnknownId => _special.Unknown;

    /// <summary>The token between two texts.</summary>
    public int? SeparatorId => _special.Separator;

    /// <summary>The token that hides a word.</summary>
    public int? MaskId => _special.Mask;

    /// <summary>True where the model wants its BOS (or CLS) token before a text.</summary>
    public bool AddBos => _special.Prefix.Length > 0;

    /// <summary>True where the model wants its EOS (or SEP) token behind a text.</summary>
    public bool AddEos => _special.Suffix.Length > 0;

    /// <summary>Tokens that end an answer: end of text, of turn, of message.</summary>
    public IReadOnlySet<int> EndOfGeneration => _special.EndOfGeneration;

    /// <summary>Reads the tokenizer of a GGUF file; the file may be closed afterwards.</summary>
    /// <exception cref="ModelFormatException">It has none, or one that is damaged or of an unknown kind.</exception>
    public static Tokenizer FromGguf(GgufMetadata metadata) => GgufTokenizer.Load(metadata);

    /// <summary>
    /// Reads a tokenizer alone: a tokenizer.json, a GGUF file, a SentencePiece <c>.model</c>, RWKV's vocabulary.
    /// </summary>
    /// <exception cref="ModelFormatException">It is damaged or of an unknown kind.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Tokenizer FromFile(string path) => TokenizerFile.Load(path);

    /// <summary>
    /// Reads the tokenizer of a folder in the style of Hugging Face: tokenizer.json with what tokenizer_config.json,
    /// special_tokens_map.json and generation_config.json say of its tokens; else tokenizer.model or rwkv_vocab*.txt.
    /// </summary>
    /// <exception cref="ModelFormatException">It has none, or one that is damaged or of an unknown kind.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static Tokenizer FromFolder(string folder) => TokenizerFile.LoadFolder(folder);

    /// <summary>True for control tokens, which are no text: BOS, EOS, the marks of chat templates.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public bool IsSpecial(int id) => _vocabulary.Kind(Checked(id)) is TokenKind.Control or TokenKind.Unknown;

    /// <summary>The id of a token by its text in the file (<c>Ġthe</c>, <c>▁the</c>, <c>&lt;|im_end|&gt;</c>), or null.</summary>
    public int? FindToken(string piece) => _vocabulary.Find(Encoding.UTF8.GetBytes(piece)) is var id and >= 0 ? id : null;

    /// <summary>The text of a token as the file writes it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Piece(int id) => Encoding.UTF8.GetString(_vocabulary.Piece(Checked(id)));

    /// <summary>The exact bytes that a token decodes to within a text; they may be a part of a character.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public ReadOnlySpan<byte> TokenBytes(int id) => _decoder.Bytes(Checked(id));

    /// <summary>Appends the ids of a text to a list. An unpaired surrogate counts as U+FFFD.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, EncodeOptions options)
    {
        var work = Run(text, options, withOffsets: false);
        var count = ids.Count;
        CollectionsMarshal.SetCount(ids, count + work.Tokens.Count);
        work.Tokens.Ids.CopyTo(CollectionsMarshal.AsSpan(ids)[count..]);
        work.Return();
    }

    /// <summary>The ids of a text.</summary>
    public int[] Encode(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        var work = Run(text, new EncodeOptions(addSpecial, parseSpecial), withOffsets: false);
        var ids = work.Tokens.Ids.ToArray();
        work.Return();
        return ids;
    }

    /// <summary>The ids of a text and the bytes that each covers.</summary>
    public TokenizedText EncodeWithOffsets(ReadOnlySpan<char> text, EncodeOptions options)
    {
        var work = Run(text, options, withOffsets: true);
        var offsets = new (int Start, int End)[work.Tokens.Count];
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = work.Tokens.Offsets(i);
        var result = new TokenizedText(work.Tokens.Ids.ToArray(), offsets);
        work.Return();
        return result;
    }

    /// <summary>The text of ids; bytes that form no character become U+FFFD, one for each maximal invalid subpart.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        var bytes = new List<byte>(ids.Length * 4);
        var atStart = true;
        foreach (var id in ids)
            bytes.AddRange(DecodedBytes(id, skipSpecial, ref atStart));
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>Starts decoding id by id.</summary>
    public StreamingDecoder StartDecoding(bool skipSpecial = false) => new(this, skipSpecial);

    /// <summary>The bytes of a token at its place in a text.</summary>
    internal ReadOnlySpan<byte> DecodedBytes(int id, bool skipSpecial, ref bool atStart)
    {
        var kind = _vocabulary.Kind(Checked(id));
        if (kind == TokenKind.Unknown && _decoder.StripsAll)
            atStart = false;
        if (skipSpecial && kind is (TokenKind.Control or TokenKind.Unknown))
            return [];
        var bytes = atStart ? _decoder.BytesAtStart(id) : _decoder.Bytes(id);
        atStart &= _decoder.StripsAll && bytes.Length == 0;
        return bytes;
    }

    private Workspace Run(ReadOnlySpan<char> text, EncodeOptions options, bool withOffsets)
    {
        var work = Workspace.Rent();
        work.Raw.Load(text);
        work.Tokens.Clear(withOffsets);
        if (options.AddSpecial)
            AddAll(work, _special.Prefix, 0);
        _pipeline.Encode(work, options.ParseSpecial);
        if (options.AddSpecial)
            AddAll(work, _special.Suffix, work.Raw.Length);
        return work;
    }

    private static void AddAll(Workspace work, int[] ids, int at)
    {
        foreach (var id in ids)
            work.Tokens.Add(id, at, at);
    }

    private int Checked(int id) => (uint)id < (uint)_vocabulary.Count
        ? id
        : throw new ArgumentOutOfRangeException(nameof(id), $"There is no token {id}; the vocabulary has {_vocabulary.Count}.");
}
