using System.Globalization;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>BERT's cleaning: control characters dropped, every blank a space, CJK ideographs set apart.</summary>
internal sealed class BertNormalizer(bool cleans, bool separatesIdeographs) : TextNormalizer
{
    /// <summary>The steps of BERT's normalizer.</summary>
    public static TextNormalizer[] Sequence(bool cleans, bool separatesIdeographs, bool lowers, bool stripsAccents)
    {
        var steps = new List<TextNormalizer> { new BertNormalizer(cleans, separatesIdeographs) };
        if (stripsAccents)
            steps.AddRange([new UnicodeNormalizer(composes: false, compatible: false), CharacterNormalizer.DropNonspacingMarks]);
        if (lowers)
            steps.Add(CharacterNormalizer.LowerCase);
        return [.. steps];
    }

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        for (var at = 0; at < text.Length;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            if (cleans && IsBlank(codePoint))
                into.Append(" "u8, from, at, at + length);
            else if (separatesIdeographs && IsIdeograph(codePoint))
            {
                into.Append(" "u8, from, at, at + length);
                into.Append(from, at, at + length);
                into.Append(" "u8, from, at, at + length);
            }
            else if (!cleans || !IsControl(codePoint))
                into.Append(from, at, at + length);
            at += length;
        }
    }

    private static bool IsBlank(int codePoint) => codePoint is '\t' or '\n' or '\r'
        || (CodePoints.Classify(codePoint) & CharClass.White) != 0 && codePoint is not (0x0B or 0x0C or 0x85);

    // Format characters that Unicode has had since version 9 were not in the tables of the tokenizers that models were
    // trained with; unassigned code points stay.
    private static bool IsControl(int codePoint) => codePoint is 0 or 0xFFFD || CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        UnicodeCategory.Control or UnicodeCategory.PrivateUse => true,
        UnicodeCategory.Format => codePoint is not (0x0890 or 0x0891 or 0x08E2 or 0x110CD or >= 0x13430 and <= 0x1343F),
        _ => false,
    };

    private static bool IsIdeograph(int codePoint) => codePoint is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF
        or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2B73F or >= 0x2B740 and <= 0x2B81F or >= 0x2B920 and <= 0x2CEAF
        or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
