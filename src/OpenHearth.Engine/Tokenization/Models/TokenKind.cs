namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>Kinds of tokens, numbered as in GGUF's <c>tokenizer.ggml.token_type</c>.</summary>
internal enum TokenKind : byte
{
    Undefined = 0,
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
