using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>The decoder of a tokenizer.json, as the bytes that each token becomes.</summary>
internal static class JsonDecoders
{
    /// <summary>Builds it. <paramref name="added"/>: tokens that stand for a text of their own, and that text.</summary>
    /// <exception cref="ModelFormatException">It is damaged or not known.</exception>
    public static TokenDecoder Read(JsonElement? decoder, Vocabulary vocabulary, IReadOnlyDictionary<int, byte[]> added, bool isUnigram)
    {
        var steps = JsonFields.Flatten(decoder, "decoders").ToArray();
        var types = steps.Select(s => s.FindText("type")).ToArray();
        if (types is [])
            return Words(vocabulary, [], cleansUp: false);
        if (types is ["WordPiece"])
            return Words(vocabulary, steps[0].FindBytes("prefix"), steps[0].FindFlag("cleanup", true));
        if (types.Contains("ByteLevel"))
            return ByteLevel(vocabulary, added);
        foreach (var type in types)
        {
            if (type is not ("Replace" or "ByteFallback" or "Fuse" or "Strip" or "Metaspace"))
                throw JsonFields.Unknown("decoder", type);
        }
        var stripping = !StripsBlank(steps) ? BlankStripping.None : isUnigram ? BlankStripping.All : BlankStripping.One;
        return SentencePiece(vocabulary, added, stripping);
    }

    private static bool StripsBlank(JsonElement[] steps) => steps.Any(s => s.FindText("type") switch
    {
        "Strip" => s.FindText("content") == " " && s.FindInteger("start") > 0,
        "Metaspace" => (s.FindText("prepend_scheme") ?? (s.FindFlag("add_prefix_space", true) ? "always" : "never")) != "never",
        _ => false,
    });

    private static TokenDecoder SentencePiece(Vocabulary vocabulary, IReadOnlyDictionary<int, byte[]> added, BlankStripping stripping)
    {
        var decoder = new TokenDecoderBuilder(vocabulary.Count);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var piece = added.TryGetValue(id, out var text) ? text : vocabulary.Piece(id);
            decoder.AddSentencePiece(piece, ByteFallback.Byte(piece) >= 0 ? TokenKind.Byte : vocabulary.Kind(id));
        }
        return decoder.Build(stripping);
    }

    private static TokenDecoder ByteLevel(Vocabulary vocabulary, IReadOnlyDictionary<int, byte[]> added)
    {
        var decoder = new TokenDecoderBuilder(vocabulary.Count);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (added.TryGetValue(id, out var text))
                decoder.Add(text);
            else
                decoder.AddByteLevel(vocabulary.Piece(id));
        }
        return decoder.Build(BlankStripping.None);
    }

    private static TokenDecoder Words(Vocabulary vocabulary, byte[] prefix, bool cleansUp)
    {
        var decoder = new WordPieceDecoderBuilder(vocabulary.Count, cleansUp);
        for (var id = 0; id < vocabulary.Count; id++)
        {
            var piece = vocabulary.Piece(id);
            var continues = prefix.Length > 0 && piece.StartsWith(prefix) && vocabulary.Kind(id) == TokenKind.Normal;
            decoder.Add(continues ? piece[prefix.Length..] : piece, !continues);
        }
        return decoder.Build();
    }
}
