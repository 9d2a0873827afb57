namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>
/// A token and the number of bytes of the (normalized) text that it covers; the complement of that where the next token
/// covers the same bytes.
/// </summary>
internal readonly record struct Token(int Id, int Length);
