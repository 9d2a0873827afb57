namespace OpenHearth.Engine.Tokenization;

/// <summary>The ids of a text and what each of them covers.</summary>
/// <param name="Ids">The ids.</param>
/// <param name="Offsets">
/// Bytes [start, end) of the text as UTF-8, widened to whole characters; empty for what the tokenizer added.
/// </param>
public sealed record TokenizedText(IReadOnlyList<int> Ids, IReadOnlyList<(int Start, int End)> Offsets);
