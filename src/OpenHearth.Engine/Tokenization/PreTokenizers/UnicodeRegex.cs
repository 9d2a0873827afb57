using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>
/// A pattern of a tokenizer.json that no splitter of ours knows, run by .NET's engine: without backtracking where the
/// pattern allows it, else with a time limit. Thread-safe.
/// </summary>
/// <remarks>
/// .NET matches UTF-16 units. A character outside the first plane is shown to it as a letter, mark, digit … of the same
/// Unicode category within that plane, so that <c>\p{L}</c> and the like see one character.
/// </remarks>
internal sealed class UnicodeRegex
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly char[] Representatives = FindRepresentatives();

    private readonly Regex _regex;

    /// <exception cref="ModelFormatException">.NET doesn't know the pattern.</exception>
    public UnicodeRegex(string pattern)
    {
        const RegexOptions Options = RegexOptions.CultureInvariant;
        try
        {
            _regex = IsFreeOfBacktracking(pattern)
                ? new Regex(pattern, Options | RegexOptions.NonBacktracking, Limit)
                : new Regex(pattern, Options, Limit);
        }
        catch (ArgumentException failure)
        {
            throw new ModelFormatException($"The tokenizer's pattern {ModelFormatException.Quote(pattern)} is not supported: {failure.Message}", failure);
        }
    }

    /// <summary>Where the pattern matches: bytes [start, end) of a text. Empty matches are left out.</summary>
    /// <exception cref="ModelFormatException">It takes too long.</exception>
    public List<(int Start, int End)> Matches(ReadOnlySpan<byte> text)
    {
        var characters = new char[text.Length];
        var places = new int[text.Length + 1];
        var count = 0;
        for (var at = 0; at < text.Length;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            places[count] = at;
            characters[count++] = codePoint < 0x10000 ? (char)codePoint : Representatives[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)];
            at += length;
        }
        places[count] = text.Length;
        var matches = new List<(int Start, int End)>();
        try
        {
            foreach (var match in _regex.EnumerateMatches(characters.AsSpan(0, count)))
            {
                if (match.Length > 0)
                    matches.Add((places[match.Index], places[match.Index + match.Length]));
            }
        }
        catch (RegexMatchTimeoutException failure)
        {
            throw new ModelFormatException($"The tokenizer's pattern {ModelFormatException.Quote(_regex.ToString())} takes too long for this text.", failure);
        }
        return matches;
    }

    private static bool IsFreeOfBacktracking(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Limit);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    // The last character of each category, which no pattern is likely to name.
    private static char[] FindRepresentatives()
    {
        var found = new char[30];
        for (var c = 0xFFFF; c > 0; c--)
        {
            ref var representative = ref found[(int)CharUnicodeInfo.GetUnicodeCategory((char)c)];
            if (representative == 0 && Rune.IsValid(c))
                representative = (char)c;
        }
        return found;
    }
}
