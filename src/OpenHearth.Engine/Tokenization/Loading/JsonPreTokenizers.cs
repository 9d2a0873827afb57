using System.Text;
using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.PreTokenizers;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>The pre-tokenizers of a tokenizer.json.</summary>
internal sealed class JsonPreTokenizers
{
    private readonly List<Splitter> _first = [], _last = [];
    private readonly bool _isUnigram;

    /// <param name="preTokenizer">The field <c>pre_tokenizer</c>.</param>
    /// <param name="isUnigram">The model is SentencePiece's, for which U+0085 is no blank.</param>
    /// <exception cref="ModelFormatException">One is damaged or not known.</exception>
    public JsonPreTokenizers(JsonElement? preTokenizer, bool isUnigram)
    {
        _isUnigram = isUnigram;
        foreach (var step in JsonFields.Flatten(preTokenizer, "pretokenizers"))
            Add(step);
    }

    /// <summary>Cuts before the rewriting.</summary>
    public Splitter[] First => [.. _first];

    /// <summary>The rewriting of pieces, or null.</summary>
    public PieceRewriter? Rewriter { get; private set; }

    /// <summary>Cuts after it.</summary>
    public Splitter[] Last => [.. _last];

    /// <summary>True where the model sees bytes in the byte-level alphabet.</summary>
    public bool IsByteLevel { get; private set; }

    private void Add(JsonElement step)
    {
        switch (step.FindText("type"))
        {
            case "ByteLevel":
                IsByteLevel = true;
                if (step.FindFlag("add_prefix_space", true))
                    SetRewriter(new PieceRewriter([], " "u8.ToArray(), orPrefix: false, onlyFirst: false));
                if (step.FindFlag("use_regex", true))
                    Add(new WordSplitter(WordRules.Gpt2));
                break;
            case "Metaspace":
                AddMetaspace(step);
                break;
            case "Split":
                Add(Split(step));
                break;
            case "Digits":
                var individually = step.FindFlag("individual_digits", false);
                Add(new RunSplitter(PreTokenizerNames.Digits, most: individually ? 1 : int.MaxValue));
                break;
            case "Punctuation":
                Add(new RunSplitter(PreTokenizerNames.Punctuations, most: 1) { Behavior = Behavior(step) });
                break;
            case "Whitespace":
                Add(new RunSplitter(PreTokenizerNames.Blanks) { Behavior = SplitBehavior.Removed });
                Add(new RunSplitter(PreTokenizerNames.WordCharacters));
                break;
            case "WhitespaceSplit":
                Add(new RunSplitter(_isUnigram ? PreTokenizerNames.BlanksWithoutNextLine : PreTokenizerNames.Blanks) { Behavior = SplitBehavior.Removed });
                break;
            case "CharDelimiterSplit":
                Add(new TextSplitter(step.FindBytes("delimiter") is { Length: > 0 } delimiter ? delimiter : throw JsonFields.Wrong("delimiter", "a character"))
                {
                    Behavior = SplitBehavior.Removed,
                });
                break;
            case "BertPreTokenizer":
                Add(new BertSplitter());
                break;
            case var type:
                throw JsonFields.Unknown("pre_tokenizer", type);
        }
    }

    private void Add(Splitter splitter) => (Rewriter is null ? _first : _last).Add(splitter);

    private void SetRewriter(PieceRewriter rewriter) =>
        Rewriter = Rewriter is null ? rewriter : throw new ModelFormatException("more than one pre_tokenizer that changes the text is not supported.");

    private void AddMetaspace(JsonElement step)
    {
        var blank = Encoding.UTF8.GetBytes(step.FindText("replacement") ?? "▁");
        var scheme = step.FindText("prepend_scheme") ?? (step.FindFlag("add_prefix_space", true) ? "always" : "never");
        SetRewriter(new PieceRewriter(blank, scheme == "never" ? [] : blank, orPrefix: !_isUnigram, onlyFirst: scheme == "first"));
        if (step.FindFlag("split", true))
            Add(new TextSplitter(blank) { Behavior = SplitBehavior.MergedWithNext });
    }

    private static Splitter Split(JsonElement step)
    {
        var (pattern, isRegex) = JsonNormalizers.Pattern(step);
        var (behavior, inverts) = (Behavior(step), step.FindFlag("invert", false));
        if (pattern.Length == 0)
            throw new ModelFormatException("the pre_tokenizer 'Split' has an empty pattern.");
        if (!isRegex)
            return new TextSplitter(Encoding.UTF8.GetBytes(pattern)) { Behavior = behavior, Inverts = inverts };
        if (WordPattern.TryRead(pattern) is { } rules)
            return new WordSplitter(rules) { Behavior = behavior, Inverts = inverts };
        return pattern switch
        {
            @"\p{N}" => new RunSplitter(PreTokenizerNames.Digits, most: 1) { Behavior = behavior, Inverts = inverts },
            @"\p{N}{1,3}" => new RunSplitter(PreTokenizerNames.Digits, most: 3) { Behavior = behavior, Inverts = inverts },
            "[一-龥\u3040-\u309f\u30a0-\u30ff]+" => new RunSplitter(PreTokenizerNames.DeepSeekV3Cjk) { Behavior = behavior, Inverts = inverts },
            _ => new RegexSplitter(new UnicodeRegex(pattern), behavior, inverts),
        };
    }

    private static SplitBehavior Behavior(JsonElement step) => step.FindText("behavior") switch
    {
        null or "Isolated" or "isolated" => SplitBehavior.Isolated,
        "Removed" or "removed" => SplitBehavior.Removed,
        "MergedWithPrevious" or "merged_with_previous" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" or "merged_with_next" => SplitBehavior.MergedWithNext,
        "Contiguous" or "contiguous" => SplitBehavior.Contiguous,
        var name => throw JsonFields.Unknown("behavior", name),
    };
}
