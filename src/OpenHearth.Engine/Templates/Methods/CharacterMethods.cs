using System.Globalization;
using System.Text;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Methods;

/// <summary>Methods of texts that ask what its characters are.</summary>
internal static class CharacterMethods
{
    public static readonly Builtin[] All =
    [
        Every("isalpha", IsAlpha),
        Every("isalnum", static rune => IsAlpha(rune) || Rune.GetNumericValue(rune) >= 0 || IsDigit(rune)),
        Every("isdecimal", static rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber),
        Every("isdigit", IsDigit),
        Every("isnumeric", static rune => Rune.GetNumericValue(rune) != -1 || IsDigit(rune)),
        Every("isspace", static rune => rune.IsBmp && CodePoints.IsSpace((char)rune.Value)),
        new("isprintable", static (r, value) => BooleanValue.Of(ForAll(r, value, PythonString.IsPrintable))),
        new("isascii", static (r, value) => BooleanValue.Of(ForAll(r, value, static rune => rune.IsAscii))),
        new("isidentifier", static (r, value) => BooleanValue.Of(IsIdentifier(r, (StringValue)value))),
        new("islower", static (r, value) => BooleanValue.Of(IsLower(r, (StringValue)value))),
        new("isupper", static (r, value) => BooleanValue.Of(IsUpper(r, (StringValue)value))),
        new("istitle", static (r, value) => BooleanValue.Of(IsTitle(r, (StringValue)value))),
    ];

    public static bool IsLower(Rendering rendering, StringValue text) =>
        HasCase(rendering, text, Casing.IsLower);

    public static bool IsUpper(Rendering rendering, StringValue text) =>
        HasCase(rendering, text, Casing.IsUpper);

    private static Builtin Every(string name, Func<Rune, bool> test) =>
        new(name, (r, value) => BooleanValue.Of(((StringValue)value).Text.Length > 0 && ForAll(r, value, test)));

    private static bool ForAll(Rendering rendering, Value value, Func<Rune, bool> test)
    {
        var text = ((StringValue)value).Text;
        rendering.Budget.Walk(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!test(rune))
                return false;
        }
        return true;
    }

    private static bool HasCase(Rendering rendering, StringValue text, Func<Rune, bool> wanted)
    {
        rendering.Budget.Walk(text.Text.Length);
        var found = false;
        foreach (var rune in text.Text.EnumerateRunes())
        {
            if (wanted(rune))
                found = true;
            else if (Casing.IsCased(rune))
                return false;
        }
        return found;
    }

    private static bool IsTitle(Rendering rendering, StringValue text)
    {
        rendering.Budget.Walk(text.Text.Length);
        var (found, inWord) = (false, false);
        foreach (var rune in text.Text.EnumerateRunes())
        {
            var isCapital = Casing.IsUpper(rune) || Casing.IsTitle(rune);
            if ((isCapital && inWord) || (Casing.IsLower(rune) && !inWord))
                return false;
            inWord = isCapital || Casing.IsLower(rune);
            found |= inWord;
        }
        return found;
    }

    private static bool IsIdentifier(Rendering rendering, StringValue text) =>
        text.Text.Length > 0 && !char.IsDigit(text.Text[0])
        && ForAll(rendering, text, static rune => rune.Value == '_' || Rune.IsLetterOrDigit(rune));

    private static bool IsAlpha(Rune rune) => Rune.IsLetter(rune);

    private static bool IsDigit(Rune rune)
    {
        Span<char> units = stackalloc char[2];
        var length = rune.EncodeToUtf16(units);
        return CharUnicodeInfo.GetDigitValue(new string(units[..length]), 0) >= 0;
    }
}
