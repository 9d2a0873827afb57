using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Which tokens begin and end texts: as the files beside a tokenizer.json say, else by the usual names.</summary>
internal sealed class TokenRoles
{
    private static readonly string[] BosNames =
        ["<s>", "<|begin_of_text|>", "<bos>", "<|startoftext|>", "<｜begin▁of▁sentence｜>", "<|START_OF_TEXT|>", "<BOS_TOKEN>", "[BOS]", "[CLS]"];

    private static readonly string[] EosNames =
        ["</s>", "<|im_end|>", "<|end_of_text|>", "<eos>", "<|endoftext|>", "<｜end▁of▁sentence｜>", "<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>", "[EOS]", "[SEP]"];

    private static readonly string[] PadNames = ["<pad>", "[PAD]", "<|padding|>", "<PAD>"];

    /// <summary>Names and flags of tokenizer_config.json and special_tokens_map.json; the first that says something counts.</summary>
    public List<JsonElement> Files { get; } = [];

    /// <summary>Ids of generation_config.json's <c>eos_token_id</c>.</summary>
    public List<int> Ends { get; } = [];

    /// <summary>The roles, for a tokenizer whose post-processor puts some ids around a text.</summary>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    public SpecialTokens Resolve(Vocabulary vocabulary, int unknown, List<int> prefix, List<int> suffix)
    {
        var bos = Find(vocabulary, "bos_token", "cls_token") ?? (prefix.Count > 0 ? prefix[^1] : ByName(vocabulary, BosNames));
        var eos = Find(vocabulary, "eos_token", "sep_token") ?? (suffix.Count > 0 ? suffix[0] : ByName(vocabulary, EosNames));
        var ends = EndTokens.Find(vocabulary);
        foreach (var id in Ends.Append(eos ?? -1))
        {
            if (id >= 0 && id < vocabulary.Count)
                ends.Add(id);
        }
        return new SpecialTokens
        {
            Bos = bos,
            Eos = eos,
            Pad = Find(vocabulary, "pad_token") ?? ByName(vocabulary, PadNames),
            Unknown = unknown >= 0 ? unknown : Find(vocabulary, "unk_token"),
            Separator = Find(vocabulary, "sep_token") ?? ByName(vocabulary, ["[SEP]"]),
            Mask = Find(vocabulary, "mask_token") ?? ByName(vocabulary, ["[MASK]", "<mask>"]),
            Prefix = Around(prefix, Flag("add_bos_token"), bos),
            Suffix = Around(suffix, Flag("add_eos_token"), eos),
            EndOfGeneration = ends,
        };
    }

    // The flag of tokenizer_config.json overrides the template, as transformers does for Llama's tokenizers.
    private static int[] Around(List<int> ids, bool? wanted, int? token) => (wanted, token) switch
    {
        (true, { } id) when ids.Count == 0 => [id],
        (false, { } id) when ids is [var only] && only == id => [],
        _ => [.. ids],
    };

    private bool? Flag(string name)
    {
        foreach (var file in Files)
        {
            if (file.Find(name) is not null)
                return file.FindFlag(name, false);
        }
        return null;
    }

    private int? Find(Vocabulary vocabulary, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            foreach (var file in Files)
            {
                if (file.Find(name) is not { } token)
                    continue;
                var text = token.ValueKind == JsonValueKind.Object ? token.FindText("content") : file.FindText(name);
                if (text is not null && vocabulary.Find(Encoding.UTF8.GetBytes(text)) is var id and >= 0)
                    return id;
            }
        }
        return null;
    }

    private static int? ByName(Vocabulary vocabulary, string[] names)
    {
        foreach (var name in names)
        {
            if (vocabulary.Find(Encoding.UTF8.GetBytes(name)) is var id and >= 0 && vocabulary.Kind(id) == TokenKind.Control)
                return id;
        }
        return null;
    }
}
