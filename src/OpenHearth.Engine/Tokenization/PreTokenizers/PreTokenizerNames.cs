using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>The pre-tokenizers that GGUF names in <c>tokenizer.ggml.pre</c>.</summary>
internal static class PreTokenizerNames
{
    private static readonly CodePointSet LineEnds = new([('\n', '\n'), ('\r', '\r')]);
    /// <summary><c>\s</c>.</summary>
    public static CodePointSet Blanks { get; } = new([], CharClass.White);
    private static readonly CodePointSet Letters = new([], CharClass.Letter);
    /// <summary><c>\p{N}</c>.</summary>
    public static CodePointSet Digits { get; } = new([], CharClass.Number);
    private static readonly CodePointSet Punctuation = new([], CharClass.Punctuation);

    // U+0800 to U+9FA5 and the Hangul syllables, as DeepSeek's first models have it.
    private static readonly CodePointSet DeepSeekCjk = new([(0x0800, 0x9FA5), (0xAC00, 0xD7FF)]);
    /// <summary>Ideographs and kana, as DeepSeek V3 has them.</summary>
    public static CodePointSet DeepSeekV3Cjk { get; } = new([(0x3040, 0x30FF), (0x4E00, 0x9FA5)]);

    /// <summary>Punctuation, and what is a symbol among ASCII's: Falcon's, and the pre-tokenizer "Punctuation".</summary>
    public static CodePointSet Punctuations { get; } = new(
        [('$', '$'), ('+', '+'), ('<', '>'), ('^', '^'), ('`', '`'), ('|', '|'), ('~', '~')], CharClass.Punctuation);

    /// <summary><c>\w</c> as Rust's regex has it.</summary>
    public static CodePointSet WordCharacters { get; } = new(
        [('_', '_'), (0x200C, 0x200D), (0x203F, 0x2040), (0x2054, 0x2054), (0x24B6, 0x24E9), (0xFE33, 0xFE34), (0xFE4D, 0xFE4F), (0xFF3F, 0xFF3F)],
        CharClass.Letter | CharClass.Mark | CharClass.Number);

    /// <summary>Blanks of SentencePiece, to which U+0085 is a character like any other.</summary>
    public static CodePointSet BlanksWithoutNextLine { get; } = new(
        [(9, 13), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]);

    // [^(\s|.,!?…。，、।۔،)], in which the bracket and the bar are members.
    private static readonly CodePointSet NoBloomMark = new(
        [('!', '!'), ('(', ')'), (',', ','), ('.', '.'), ('?', '?'), ('|', '|'), (0x060C, 0x060C), (0x06D4, 0x06D4),
            (0x0964, 0x0964), (0x2026, 0x2026), (0x3001, 0x3002), (0xFF0C, 0xFF0C)], CharClass.White, inverted: true);

    private static readonly WordRules DeepSeekV3 = new()
    {
        Contractions = Contractions.None,
        PunctuationBeforeAsciiWord = true,
        Prefix = WordPrefix.NoLetterOrPunctuation,
        Body = WordBody.LettersAndMarks,
        MaxDigits = -1,
        Punctuation = PunctuationBody.PunctuationAndSymbols,
        LineEndsAfterPunctuation = "\r\n",
        CutsAfterLineEnds = true,
    };

    /// <summary>One name for each way to cut and compose text, the usual ones first.</summary>
    public static IReadOnlyList<string> Distinct { get; } =
    [
        "llama-bpe", "gpt-2", "qwen2", "smollm", "gpt-4o", "tekken", "olmo", "stablelm2", "dbrx", "command-r", "falcon", "deepseek-v3", "deepseek-llm",
        "deepseek-coder", "qwen35", "bloom", "viking", "kimi-k2", "seed-coder", "default",
    ];

    /// <summary>The steps of a pre-tokenizer.</summary>
    /// <exception cref="ModelFormatException">Nobody knows it.</exception>
    public static Splitter[] Find(string name) => name switch
    {
        "gpt-2" or "phi-2" or "mpt" or "olmo" or "jais" or "trillion" or "granite-docling" or "jina-es" or "jina-de"
            or "jina-v1-en" or "jina-v2-es" or "jina-v2-de" or "jina-v2-code" or "roberta-bpe" or "modern-bert"
            or "gigachat" or "a.x-4.0" or "mellum" or "exaone4" => [new WordSplitter(WordRules.Gpt2)],
        "smollm" or "starcoder" or "refact" or "command-r" or "codeshell" or "exaone" or "minerva-7b" or "mellum2" =>
            [new RunSplitter(Digits, most: 1), new WordSplitter(WordRules.Gpt2)],
        "default" => [new RunSplitter(Punctuations), new WordSplitter(WordRules.Gpt2), new RunSplitter(Digits), ThreeDigits],
        // Falcon's own file cuts off digits too, but in the byte-level alphabet, where no merge crosses that cut.
        "falcon" => [new RunSplitter(Punctuations), new WordSplitter(WordRules.Gpt2), ThreeDigits],
        "llama3" or "llama-v3" or "llama-bpe" or "falcon3" or "falcon-h1" or "pixtral" or "midm-2.0" or "lfm2"
            or "jina-v5-nano" or "minicpm5" or "dbrx" or "smaug-bpe" or "glm4" or "chatglm-bpe" or "cl100k" =>
            [new WordSplitter(WordRules.Llama3)],
        "qwen2" or "deepseek-r1-qwen" or "kormo" or "f2llmv2" or "megrez" or "stablelm2" or "hunyuan" or "solar-open"
            or "grok-2" or "bailingmoe" or "bailingmoe2" or "llada-moe" => [new WordSplitter(WordRules.Qwen2)],
        "qwen35" => [new WordSplitter(WordRules.Qwen2 with
        {
            Body = WordBody.LettersAndMarks,
            Punctuation = PunctuationBody.NoWordCharacterOrMark,
        })],
        "laguna" => [new RunSplitter(new CodePointSet([('\n', '\n')])), new WordSplitter(WordRules.Qwen2)],
        "seed-coder" => [new WordSplitter(WordRules.Qwen2 with { LineEndsAfterPunctuation = "" })],
        "ufakzeka" => [new WordSplitter(WordRules.Qwen2 with { Contractions = Contractions.None })],
        "gpt-4o" or "llama4" or "kanana2" or "talkie" or "minimax-m2" or "granite-embed-multi-97m" => [new WordSplitter(WordRules.Gpt4O)],
        "tekken" => [new WordSplitter(WordRules.Gpt4O with { Contractions = Contractions.None, MaxDigits = 1 })],
        "kimi-k2" => [new WordSplitter(WordRules.Gpt4O with { SeparatesHan = true, LineEndsAfterPunctuation = "\r\n" })],
        "deepseek-llm" =>
        [
            new RunSplitter(LineEnds, most: 1), new RunSplitter(DeepSeekSets.Letters, Blanks),
            new RunSplitter(DeepSeekSets.Punctuation, Blanks), new TrailingBlankSplitter(), new RunSplitter(DeepSeekCjk),
            new RunSplitter(Digits, most: 1),
        ],
        "deepseek-coder" =>
        [
            new RunSplitter(LineEnds, most: 1), new RunSplitter(Letters, Blanks), new RunSplitter(Punctuation, Blanks),
            new RunSplitter(DeepSeekCjk), new RunSplitter(Digits, most: 1),
        ],
        "deepseek-v3" or "hunyuan-dense" or "joyai-llm" or "hy_v4" =>
            [new RunSplitter(Digits, most: 3), new RunSplitter(DeepSeekV3Cjk), new WordSplitter(DeepSeekV3)],
        "bloom" or "poro-chat" or "gpt3-finnish" => [new RunSplitter(NoBloomMark, BlankOnly)],
        "viking" => [new RunSplitter(NoBloomMark, BlankOnly), new RunSplitter(Digits, most: 1)],
        _ => throw new ModelFormatException($"tokenizer.ggml.pre: the pre-tokenizer {ModelFormatException.Quote(name)} is not supported."),
    };

    /// <summary>True for the families whose own tokenizer composes text (NFC) first; GGUF doesn't say it.</summary>
    public static bool ComposesText(string name) => name is "qwen2" or "qwen35" or "deepseek-r1-qwen" or "megrez" or "olmo" or "mpt" or "command-r";

    /// <summary>True for the families whose tokenizer takes a word that is a token as that, whatever the merges say.</summary>
    public static bool TakesWholeWords(string name) => name is "minicpm5" or "granite-embed-multi-97m" || AddsBos(name);

    /// <summary>True for the families that put BOS before a text where the file doesn't say.</summary>
    public static bool AddsBos(string name) => name is "llama3" or "llama-v3" or "llama-bpe" or "falcon3" or "falcon-h1" or "pixtral"
        or "midm-2.0" or "lfm2" or "jina-v5-nano" or "tekken";

    private static CodePointSet BlankOnly => new([(' ', ' ')]);

    private static RunSplitter ThreeDigits => new(new CodePointSet([('0', '9')]), least: 3, most: 3);
}
