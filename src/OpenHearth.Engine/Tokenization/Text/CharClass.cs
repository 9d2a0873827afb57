namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>What a pre-tokenizer's pattern may ask about a code point; <c>Upper</c> is Lu and Lt, <c>Lower</c> is Ll.</summary>
[Flags]
internal enum CharClass : byte
{
    None = 0,
    Letter = 1,
    Number = 2,
    White = 4,
    Mark = 8,
    Punctuation = 16,
    Symbol = 32,
    Upper = 64,
    Lower = 128,
}
