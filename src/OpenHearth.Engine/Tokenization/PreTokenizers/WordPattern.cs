namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Reads the patterns of <see cref="WordRules"/> from the regex that a tokenizer.json writes them as.</summary>
internal static class WordPattern
{
    private const string Cased = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", Lowered = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string CasedNoHan = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]", LoweredNoHan = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]";
    private const string AnyContraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string NoWord = @"[^\r\n\p{L}\p{N}]?";

    private static readonly (string Text, Contractions Value)[] Contraction =
    [
        ("'s|'t|'re|'ve|'m|'ll|'d|", Contractions.LowerCase),
        ("'(?:[sdmt]|ll|ve|re)|", Contractions.LowerCase),
        (AnyContraction + "|", Contractions.AnyCase),
        ("'(?i:[sdmt]|ll|ve|re)|", Contractions.AnyCase),
        ("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|", Contractions.AnyCase),
    ];

    private static readonly (string Text, Func<WordRules, WordRules> Set)[] Word =
    [
        (@" ?\p{L}+|", r => r),
        (NoWord + @"\p{L}+|", r => r with { Prefix = WordPrefix.NoWordCharacter }),
        (NoWord + @"[\p{L}\p{M}]+|", r => r with { Prefix = WordPrefix.NoWordCharacter, Body = WordBody.LettersAndMarks }),
        (@"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|", r => r with { Prefix = WordPrefix.NoLetterOrPunctuation, Body = WordBody.LettersAndMarks }),
        (ByCase(Cased, Lowered, AnyContraction + "?"), r => r with
        {
            Prefix = WordPrefix.NoWordCharacter,
            Body = WordBody.ByCase,
            Contractions = Contractions.Suffix,
        }),
        (ByCase(Cased, Lowered, ""), r => r with { Prefix = WordPrefix.NoWordCharacter, Body = WordBody.ByCase }),
        (ByCase(CasedNoHan, LoweredNoHan, AnyContraction + "?"), r => r with
        {
            Prefix = WordPrefix.NoWordCharacter,
            Body = WordBody.ByCase,
            Contractions = Contractions.Suffix,
        }),
    ];

    private static readonly (string Text, int Value)[] Numbers =
        [(@" ?\p{N}+|", 0), (@"\p{N}{1,3}|", 3), (@"\p{N}{1,2}|", 2), (@"\p{N}{1}|", 1), (@"\p{N}|", 1), ("", -1)];

    private static readonly (string Text, PunctuationBody Value)[] Punctuation =
    [
        (@" ?[^\s\p{L}\p{N}]+", PunctuationBody.NoWordCharacter),
        (@" ?[^\s\p{L}\p{N}\r\n]+", PunctuationBody.NoWordCharacter),
        (@" ?[^\s\p{L}\p{M}\p{N}]+", PunctuationBody.NoWordCharacterOrMark),
        (@" ?[\p{P}\p{S}]+", PunctuationBody.PunctuationAndSymbols),
    ];

    /// <summary>The rules that a regex says, or null.</summary>
    public static WordRules? TryRead(string regex)
    {
        // Line ends are written as they are or escaped, and no alternative can give back what a possessive one keeps.
        var rest = regex.Replace("\r", @"\r", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)
            .Replace("?+", "?", StringComparison.Ordinal).Replace("++", "+", StringComparison.Ordinal);
        var rules = new WordRules { Contractions = Contractions.None };
        if (Take(ref rest, @"[\p{Han}]+|"))
            rules = rules with { SeparatesHan = true };
        foreach (var (text, value) in Contraction)
        {
            if (Take(ref rest, text))
                rules = rules with { Contractions = value };
        }
        if (Take(ref rest, @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"))
            rules = rules with { PunctuationBeforeAsciiWord = true };
        var before = rest;
        foreach (var (text, set) in Word)
        {
            if (rest == before && Take(ref rest, text))
                rules = set(rules);
        }
        if (rest == before || rules.SeparatesHan != before.StartsWith(NoWord + CasedNoHan, StringComparison.Ordinal))
            return null;
        rules = rules with { MaxDigits = Numbers.First(n => Take(ref rest, n.Text)).Value };
        return ReadEnd(rules, rest);
    }

    private static WordRules? ReadEnd(WordRules rules, string rest)
    {
        var before = rest;
        foreach (var (text, value) in Punctuation)
        {
            if (rest == before && Take(ref rest, text))
                rules = rules with { Punctuation = value };
        }
        if (rest == before)
            return null;
        if (Take(ref rest, @"[\r\n]*"))
            rules = rules with { LineEndsAfterPunctuation = "\r\n" };
        else if (Take(ref rest, @"[\r\n/]*"))
            rules = rules with { LineEndsAfterPunctuation = "\r\n/" };
        if (!Take(ref rest, "|"))
            return null;
        if (Take(ref rest, @"\s*[\r\n]+|") || Take(ref rest, @"\s*[\r\n]|"))
            rules = rules with { CutsAfterLineEnds = true };
        return rest is @"\s+(?!\S)|\s+" or @"\s+(?!\S)|\s" ? rules : null;
    }

    private static string ByCase(string cased, string lowered, string end) =>
        $"{NoWord}{cased}*{lowered}+{end}|{NoWord}{cased}+{lowered}*{end}|";

    private static bool Take(ref string rest, string text)
    {
        if (!rest.StartsWith(text, StringComparison.Ordinal))
            return false;
        rest = rest[text.Length..];
        return true;
    }
}
