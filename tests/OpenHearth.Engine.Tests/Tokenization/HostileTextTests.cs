using System.Diagnostics;
using System.Text;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Tokenization.Loading;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tests.Tokenization;

/// <summary>A mebibyte of one thing takes linear time in every kind of tokenizer.</summary>
public class HostileTextTests
{
    public static TheoryData<string, string> Texts
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var kind in (string[])["byte-level", "deepseek-llm", "deepseek-v3", "gpt-4o", "kimi-k2", "falcon", "spm", "unigram", "wordpiece", "rwkv", "llama-json"])
            {
                foreach (var unit in (string[])["a", " ", "(", "\n", "é", "\u0301", "ab", " a", "<"])
                    data.Add(kind, unit);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Encode_MebibyteOfOneThing_EndsInTimeAndLosesNothing(string kind, string unit)
    {
        var tokenizer = Make(kind);
        var text = string.Concat(Enumerable.Repeat(unit, (1 << 20) / Encoding.UTF8.GetByteCount(unit)));
        var clock = Stopwatch.StartNew();
        var ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: true);
        // The bound of the requirement is 2 s on an idle machine; a quadratic step takes minutes.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
        if (kind is "byte-level" or "deepseek-llm" or "deepseek-v3" or "gpt-4o" or "kimi-k2" or "falcon" or "spm" or "llama-json")
            Assert.Equal(text, tokenizer.Decode(ids));
    }

    private static Tokenizer Make(string kind) => kind switch
    {
        "byte-level" => SmallVocabularies.ByteLevel(["a a", "a b", "aa aa", "Ġ Ġ", "Ġ a", "( (", "Ã ©", "Ì ģ"]),
        "spm" => SentencePieceFile.Load(SmallVocabularies.SentencePiece(isBpe: true, [.. Pieces(), .. Bytes()])),
        "unigram" => SmallVocabularies.Unigram(("▁", -3), ("a", -2), ("aa", -2.5), ("aaaa", -3), ("▁▁", -3), ("(", -4), ("▁a", -2)),
        "wordpiece" => SmallVocabularies.WordPiece("a", "##a", "aa", "##aa", "("),
        "rwkv" => RwkvVocabulary.Load("1 'a' 1\n2 'aa' 2\n3 'aaaa' 4\n4 ' ' 1\n5 '  ' 2\n6 '(' 1\n"u8),
        "llama-json" => Llama(),
        _ => Pre(kind),
    };

    private static Tokenizer Pre(string name)
    {
        var ranks = Enumerable.Range(0, 256).Select(b => Convert.ToBase64String([(byte)b])).Append("YWE=").Append("ICA=").Select((t, i) => $"{t} {i}\n");
        return TiktokenRanks.Load(Encoding.ASCII.GetBytes(string.Concat(ranks)), name, [new AddedToken(258, "<|end|>"u8.ToArray()) { IsSpecial = true }], new TokenRoles());
    }

    private static Tokenizer Llama()
    {
        string[] pieces = ["<unk>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), "▁", "a", "aa", "▁▁", "▁a"];
        return SmallVocabularies.Json("BPE", new
        {
            unk_token = "<unk>",
            byte_fallback = true,
            fuse_unk = true,
            vocab = pieces.Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i),
            merges = (string[])["a a", "▁ ▁", "▁ a"],
        }, normalizer: new
        {
            type = "Sequence",
            normalizers = new object[]
            {
                new { type = "Prepend", prepend = "▁" },
                new { type = "Replace", pattern = new { String = " " }, content = "▁" },
            },
        }, decoder: new
        {
            type = "Sequence",
            decoders = new object[]
            {
                new { type = "Replace", pattern = new { String = "▁" }, content = " " },
                new { type = "ByteFallback" },
                new { type = "Fuse" },
                new { type = "Strip", content = " ", start = 1, stop = 0 },
            },
        });
    }

    private static IEnumerable<(string Piece, float Score, TokenKind Kind)> Pieces() =>
    [
        ("<unk>", 0, TokenKind.Unknown), ("▁", -9, TokenKind.Normal), ("a", -8, TokenKind.Normal), ("aa", -1, TokenKind.Normal),
        ("aaaa", -2, TokenKind.Normal), ("▁▁", -3, TokenKind.Normal), ("▁a", -4, TokenKind.Normal),
    ];

    private static IEnumerable<(string Piece, float Score, TokenKind Kind)> Bytes() =>
        Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f, TokenKind.Byte));
}
