namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>A token and the number of bytes of the (normalized) text that it covers.</summary>
internal readonly record struct Token(int Id, int Length);
