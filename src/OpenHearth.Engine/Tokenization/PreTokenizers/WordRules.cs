namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Where <c>'s</c>, <c>'t</c>, <c>'re</c>, <c>'ve</c>, <c>'m</c>, <c>'ll</c>, <c>'d</c> are cut off.</summary>
internal enum Contractions
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>As pieces of their own, in lower case.</summary>
    LowerCase,

    /// <summary>As pieces of their own, in any case; <c>'ſ</c> (U+017F) too.</summary>
    AnyCase,

    /// <summary>In any case, as the end of the word before.</summary>
    Suffix,
}

/// <summary>What one character a word may take in front.</summary>
internal enum WordPrefix
{
    /// <summary>A blank: <c> ?</c>.</summary>
    Blank,

    /// <summary><c>[^\r\n\p{L}\p{N}]?</c>.</summary>
    NoWordCharacter,

    /// <summary><c>[^\r\n\p{L}\p{P}\p{S}]?</c>.</summary>
    NoLetterOrPunctuation,
}

/// <summary>What a word consists of.</summary>
internal enum WordBody
{
    /// <summary><c>\p{L}+</c>.</summary>
    Letters,

    /// <summary><c>[\p{L}\p{M}]+</c>.</summary>
    LettersAndMarks,

    /// <summary><c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+</c>, else the first <c>+</c> and the second <c>*</c>.</summary>
    ByCase,
}

/// <summary>What a run of punctuation consists of.</summary>
internal enum PunctuationBody
{
    /// <summary><c>[^\s\p{L}\p{N}]+</c>.</summary>
    NoWordCharacter,

    /// <summary><c>[^\s\p{L}\p{M}\p{N}]+</c>.</summary>
    NoWordCharacterOrMark,

    /// <summary><c>[\p{P}\p{S}]+</c>.</summary>
    PunctuationAndSymbols,
}

/// <summary>
/// The alternatives of the patterns that byte-level BPEs cut words with. They all try, in this order: contractions,
/// words, numbers, punctuation, lines' ends, blanks. The default is GPT-2's.
/// </summary>
internal sealed record WordRules
{
    /// <summary>The pattern of GPT-2.</summary>
    public static WordRules Gpt2 { get; } = new();

    /// <summary>The pattern of Llama 3 (cl100k's ends <c>\s*[\r\n]</c>, which cuts at the same places).</summary>
    public static WordRules Llama3 { get; } = new()
    {
        Contractions = Contractions.AnyCase,
        Prefix = WordPrefix.NoWordCharacter,
        MaxDigits = 3,
        LineEndsAfterPunctuation = "\r\n",
        CutsAfterLineEnds = true,
    };

    /// <summary>The pattern of Qwen 2.</summary>
    public static WordRules Qwen2 { get; } = Llama3 with { MaxDigits = 1 };

    /// <summary>The pattern of o200k (GPT-4o, Llama 4).</summary>
    public static WordRules Gpt4O { get; } = Llama3 with
    {
        Contractions = Contractions.Suffix,
        Body = WordBody.ByCase,
        LineEndsAfterPunctuation = "\r\n/",
    };

    /// <summary>Contractions.</summary>
    public Contractions Contractions { get; init; } = Contractions.LowerCase;

    /// <summary>What may stand before a word.</summary>
    public WordPrefix Prefix { get; init; } = WordPrefix.Blank;

    /// <summary>The word.</summary>
    public WordBody Body { get; init; } = WordBody.Letters;

    /// <summary>First of all a run of Han characters, of which words then have none (Kimi K2).</summary>
    public bool SeparatesHan { get; init; }

    /// <summary>First of all one mark of ASCII punctuation with the ASCII letters behind it (DeepSeek V3).</summary>
    public bool PunctuationBeforeAsciiWord { get; init; }

    /// <summary>0: <c> ?\p{N}+</c>; n: <c>\p{N}{1,n}</c>; -1: no rule for numbers.</summary>
    public int MaxDigits { get; init; }

    /// <summary>The run of punctuation, before which a blank may stand.</summary>
    public PunctuationBody Punctuation { get; init; } = PunctuationBody.NoWordCharacter;

    /// <summary>Characters that follow a run of punctuation in its piece.</summary>
    public string LineEndsAfterPunctuation { get; init; } = "";

    /// <summary><c>\s*[\r\n]+</c>.</summary>
    public bool CutsAfterLineEnds { get; init; }
}
