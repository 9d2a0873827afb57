using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Builds a tokenizer from a SentencePiece <c>.model</c> file (the message ModelProto of sentencepiece_model.proto).</summary>
internal sealed class SentencePieceFile
{
    private readonly VocabularyBuilder _pieces = new(32000);
    private readonly List<float> _scores = [];
    private bool _isBpe;
    private bool _fallsBackToBytes;
    private bool _blankIsSuffix;
    private int _bos = 1, _eos = 2, _pad = -1;
    private byte[] _unknownText = Encoding.UTF8.GetBytes(" ⁇ ");
    private byte[] _charsMap = [];
    private bool _addsPrefix = true, _collapsesBlanks = true;

    /// <summary>True where bytes look like such a file: its first field is a message that starts with a piece.</summary>
    public static bool Looks(ReadOnlySpan<byte> bytes) => bytes.Length > 4 && bytes[0] == 0x0A && (bytes[2] == 0x0A || bytes[3] == 0x0A);

    /// <summary>Builds it.</summary>
    /// <exception cref="ModelFormatException">The file is damaged or of an unknown kind.</exception>
    public static Tokenizer Load(ReadOnlySpan<byte> bytes)
    {
        var file = new SentencePieceFile();
        file.Read(bytes);
        return file.Build();
    }

    private void Read(ReadOnlySpan<byte> bytes)
    {
        for (var fields = new ProtobufReader(bytes); fields.Next();)
        {
            if (fields.Field == 1)
                ReadPiece(fields.RequireBytes());
            else if (fields.Field == 2)
                ReadTrainer(fields.RequireBytes());
            else if (fields.Field == 3)
                ReadNormalizer(fields.RequireBytes());
        }
        if (_pieces.Count == 0)
            throw new ModelFormatException("SentencePiece model: it has no pieces.");
    }

    private void ReadPiece(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> piece = [];
        var (score, kind) = (0f, TokenKind.Normal);
        for (var fields = new ProtobufReader(bytes); fields.Next();)
        {
            if (fields.Field == 1)
                piece = fields.RequireBytes();
            else if (fields.Field == 2)
                score = fields.Float;
            else if (fields.Field == 3)
                kind = fields.Number is >= 1 and <= 6 ? (TokenKind)fields.Number : TokenKind.Undefined;
        }
        if (!float.IsFinite(score))
            throw new ModelFormatException($"SentencePiece model: the score of piece {_pieces.Count} is {score}.");
        _pieces.Add(piece, kind);
        _scores.Add(score);
    }

    private void ReadTrainer(ReadOnlySpan<byte> bytes)
    {
        for (var fields = new ProtobufReader(bytes); fields.Next();)
        {
            switch (fields.Field)
            {
                case 3:
                    _isBpe = fields.Number == 2;
                    if (fields.Number is not (1 or 2))
                        throw new ModelFormatException($"SentencePiece model: model_type {fields.Number} is not supported (1 unigram, 2 BPE).");
                    break;
                case 24:
                    _blankIsSuffix = fields.Number != 0;
                    break;
                case 35:
                    _fallsBackToBytes = fields.Number != 0;
                    break;
                case 41:
                    _bos = (int)(long)fields.Number;
                    break;
                case 42:
                    _eos = (int)(long)fields.Number;
                    break;
                case 43:
                    _pad = (int)(long)fields.Number;
                    break;
                case 44:
                    _unknownText = fields.RequireBytes().ToArray();
                    break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> bytes)
    {
        for (var fields = new ProtobufReader(bytes); fields.Next();)
        {
            if (fields.Field == 2)
                _charsMap = fields.RequireBytes().ToArray();
            else if (fields.Field == 3)
                _addsPrefix = fields.Number != 0;
            else if (fields.Field == 4)
                _collapsesBlanks = fields.Number != 0;
        }
    }

    private Tokenizer Build()
    {
        var vocabulary = _pieces.Build();
        var unknown = -1;
        var added = new List<AddedToken>();
        var decoder = new TokenDecoderBuilder(vocabulary.Count);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var kind = vocabulary.Kind(id);
            if (kind == TokenKind.Unknown)
                unknown = id;
            if (kind is TokenKind.Control or TokenKind.Unknown)
                added.Add(new AddedToken(id, vocabulary.Piece(id).ToArray()) { IsSpecial = true });
            if (kind == TokenKind.Unknown)
                decoder.Add(_unknownText);
            else
                decoder.AddSentencePiece(vocabulary.Piece(id), kind);
        }
        var fallback = ByteFallback.Of(vocabulary, unknown, _fallsBackToBytes);
        var normalizer = new SentencePieceNormalizer
        {
            CharsMap = _charsMap.Length > 0 ? new PrecompiledCharsMap(_charsMap) : null,
            UserDefined = SymbolSplitter.UserDefined(vocabulary),
            AddsPrefix = _addsPrefix,
            BlankIsSuffix = _blankIsSuffix,
            CollapsesBlanks = _collapsesBlanks,
            EndsAtNext = true,
        };
        TokenModel model = _isBpe ? new SentencePieceBpe(vocabulary, [.. _scores], fallback) : new Unigram(vocabulary, [.. _scores], fallback);
        var pipeline = new TokenizerPipeline(model, [normalizer], [.. added]) { Splitters = Splitters(vocabulary, normalizer.UserDefined) };
        var stripping = !_addsPrefix && !_collapsesBlanks ? BlankStripping.None : _collapsesBlanks ? BlankStripping.All : BlankStripping.One;
        return new Tokenizer(vocabulary, pipeline, decoder.Build(stripping), Special(vocabulary, unknown));
    }

    private Splitter[] Splitters(Vocabulary vocabulary, ByteTrie? userDefined)
    {
        var splitters = new List<Splitter>();
        if (userDefined is not null && _isBpe)
            splitters.Add(new SymbolSplitter(userDefined));
        if (!_blankIsSuffix && BlankSplitter.Suits(vocabulary))
            splitters.Add(new BlankSplitter());
        return [.. splitters];
    }

    private SpecialTokens Special(Vocabulary vocabulary, int unknown)
    {
        var (bos, eos) = (Id(_bos), Id(_eos));
        var ends = EndTokens.Find(vocabulary);
        if (eos is { } end)
            ends.Add(end);
        return new SpecialTokens
        {
            Bos = bos,
            Eos = eos,
            Pad = Id(_pad),
            Unknown = Id(unknown),
            Prefix = bos is { } first ? [first] : [],
            Suffix = !_isBpe && eos is { } last ? [last] : [],
            EndOfGeneration = ends,
        };

        int? Id(int id) => id >= 0 && id < vocabulary.Count ? id : null;
    }
}
