using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>
/// Builds a tokenizer from tiktoken's ranks: lines of a token's bytes in Base64 and its rank, which is its id. Two
/// neighbours merge where their bytes together are a token, the lowest rank first.
/// </summary>
internal static class TiktokenRanks
{
    /// <summary>Builds it for a pre-tokenizer by its name in GGUF; <paramref name="added"/> are tokens beyond the ranks.</summary>
    /// <exception cref="ModelFormatException">A line is damaged or out of order.</exception>
    public static Tokenizer Load(ReadOnlySpan<byte> bytes, string preTokenizer, IReadOnlyList<AddedToken> added, TokenRoles roles)
    {
        var vocabulary = ReadVocabulary(bytes, added);
        var model = new ByteLevelBpe(ByteLevelBpe.ByteTokens(vocabulary), Merges(vocabulary), vocabulary, -1);
        TextNormalizer[] normalizers = PreTokenizerNames.ComposesText(preTokenizer) ? [new UnicodeNormalizer(composes: true, compatible: false)] : [];
        var pipeline = new TokenizerPipeline(model, normalizers, [.. added]) { Splitters = PreTokenizerNames.Find(preTokenizer) };
        var decoder = new TokenDecoderBuilder(vocabulary.Count);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) == TokenKind.Normal)
                decoder.AddByteLevel(vocabulary.Piece(id));
            else
                decoder.Add(vocabulary.Piece(id));
        }
        return new Tokenizer(vocabulary, pipeline, decoder.Build(BlankStripping.None), roles.Resolve(vocabulary, -1, [], []));
    }

    /// <summary>The tokens of the field <c>added_tokens_decoder</c> of a tokenizer_config.json.</summary>
    /// <exception cref="ModelFormatException">One is damaged.</exception>
    public static List<AddedToken> ReadAdded(JsonElement config)
    {
        var added = new List<AddedToken>();
        if (config.Find("added_tokens_decoder") is not { ValueKind: JsonValueKind.Object } tokens)
            return added;
        foreach (var token in tokens.EnumerateObject())
        {
            if (!int.TryParse(token.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= Vocabulary.MaxCount)
                throw new ModelFormatException($"added_tokens_decoder: {ModelFormatException.Quote(token.Name)} is no id.");
            added.Add(new AddedToken(id, token.Value.FindBytes("content")) { IsSpecial = token.Value.FindFlag("special", true) });
        }
        return added;
    }

    private static Vocabulary ReadVocabulary(ReadOnlySpan<byte> bytes, IReadOnlyList<AddedToken> added)
    {
        var builder = new VocabularyBuilder(bytes.Length / 16);
        Span<byte> token = new byte[1024], piece = new byte[2048];
        foreach (var range in bytes.Split((byte)'\n'))
        {
            var line = bytes[range].TrimEnd((byte)'\r');
            if (line.Length == 0)
                continue;
            var blank = line.IndexOf((byte)' ');
            if (blank <= 0 || blank > 1364 || Base64.DecodeFromUtf8(line[..blank], token, out _, out var length) != System.Buffers.OperationStatus.Done
                || !int.TryParse(line[(blank + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var rank) || rank != builder.Count)
            {
                throw new ModelFormatException($"tiktoken ranks: line {builder.Count + 1} is not a token in Base64 and the rank {builder.Count}.");
            }
            builder.Add(piece[..ByteLevelAlphabet.Write(token[..length], piece)], TokenKind.Normal);
        }
        foreach (var (id, content) in added.OrderBy(t => t.Id).Select(t => (t.Id, t.Content)))
        {
            if (id < builder.Count)
                throw new ModelFormatException($"the added token {id} is one of the ranks, or comes twice.");
            while (builder.Count < id)
                builder.Add([], TokenKind.Unused);
            builder.Add(content, added.First(t => t.Id == id).IsSpecial ? TokenKind.Control : TokenKind.UserDefined);
        }
        return builder.Count > 0 ? builder.Build() : throw new ModelFormatException("tiktoken ranks: there are none.");
    }

    private static MergeTable Merges(Vocabulary vocabulary)
    {
        var merges = new List<(int Left, int Right, int Result)>(vocabulary.Count * 4);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kind(id) != TokenKind.Normal)
                continue;
            var piece = vocabulary.Piece(id);
            for (var at = 1; at < piece.Length; at++)
            {
                if (!CodePoints.IsContinuation(piece[at]) && vocabulary.Find(piece[..at]) is var left and >= 0
                    && vocabulary.Find(piece[at..]) is var right and >= 0)
                {
                    merges.Add((left, right, id));
                }
            }
        }
        var table = new MergeTable(merges.Count, vocabulary.Count);
        foreach (var (left, right, result) in merges)
            table.Add(left, right, result, rank: result);
        return table;
    }
}
