using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tests.Tokenization;

/// <summary>Tokenizers that tests make themselves.</summary>
internal static class SmallVocabularies
{
    /// <summary>Byte-level, the 256 bytes and no merges; ids are the bytes.</summary>
    public static Tokenizer Bytes() => ByteLevel([]);

    /// <summary>Byte-level BPE with the 256 bytes first (id = byte), then the merges of the texts given, in order.</summary>
    public static Tokenizer ByteLevel(string[] merges, string pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
    {
        var pieces = Enumerable.Range(0, 256).Select(b => ByteLevelAlphabet.Character((byte)b).ToString()).ToList();
        pieces.AddRange(merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)));
        return Json("BPE", new
        {
            vocab = pieces.Select((p, i) => (p, i)).DistinctBy(p => p.p).ToDictionary(p => p.p, p => p.i),
            merges,
        }, preTokenizer: new
        {
            type = "Sequence",
            pretokenizers = new object[]
            {
                new { type = "Split", pattern = new { Regex = pattern }, behavior = "Isolated" },
                new { type = "ByteLevel", add_prefix_space = false, use_regex = false },
            },
        }, decoder: new { type = "ByteLevel" });
    }

    /// <summary>A unigram model of pieces and scores; id 0 is unknown.</summary>
    public static Tokenizer Unigram(params (string Piece, double Score)[] pieces) => Json("Unigram", new
    {
        unk_id = 0,
        vocab = pieces.Prepend(("<unk>", 0)).Select(p => new object[] { p.Item1, p.Item2 }),
    }, preTokenizer: new { type = "Metaspace" }, decoder: new { type = "Metaspace" });

    /// <summary>WordPiece; id 0 is unknown.</summary>
    public static Tokenizer WordPiece(params string[] pieces) => Json("WordPiece", new
    {
        unk_token = "[UNK]",
        continuing_subword_prefix = "##",
        vocab = pieces.Prepend("[UNK]").Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i),
    }, preTokenizer: new { type = "BertPreTokenizer" }, decoder: new { type = "WordPiece", prefix = "##", cleanup = false });

    /// <summary>A tokenizer.json of some parts.</summary>
    public static Tokenizer Json(string type, object model, object? preTokenizer = null, object? decoder = null, object? normalizer = null, object? added = null)
    {
        var fields = JsonSerializer.SerializeToNode(model)!.AsObject();
        fields["type"] = type;
        return TokenizerJson.Load(JsonSerializer.SerializeToUtf8Bytes(new
        {
            added_tokens = added ?? Array.Empty<object>(),
            normalizer,
            pre_tokenizer = preTokenizer,
            decoder,
            model = fields,
        }));
    }

    /// <summary>SentencePiece's BPE of pieces and scores as a .model file holds it.</summary>
    public static byte[] SentencePiece(bool isBpe, params (string Piece, float Score, TokenKind Kind)[] pieces)
    {
        var file = new List<byte>();
        foreach (var (piece, score, kind) in pieces)
        {
            var text = Encoding.UTF8.GetBytes(piece);
            Message(file, 1, [0x0A, .. Varint(text.Length), .. text, 0x15, .. BitConverter.GetBytes(score), 0x18, (byte)kind]);
        }
        var fallsBack = pieces.Any(p => p.Kind == TokenKind.Byte);
        Message(file, 2, [0x18, (byte)(isBpe ? 2 : 1), 0x98, 0x02, (byte)(fallsBack ? 1 : 0)]);
        // Runs of blanks stay as they are.
        Message(file, 3, [0x20, 0]);
        return [.. file];
    }

    private static void Message(List<byte> into, int field, byte[] content)
    {
        into.Add((byte)(field << 3 | 2));
        into.AddRange(Varint(content.Length));
        into.AddRange(content);
    }

    private static byte[] Varint(int value)
    {
        var bytes = new List<byte>();
        for (; value >= 128; value >>= 7)
            bytes.Add((byte)(value | 128));
        return [.. bytes, (byte)value];
    }
}
