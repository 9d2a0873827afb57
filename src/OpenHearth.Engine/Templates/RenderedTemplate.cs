namespace OpenHearth.Engine.Templates;

/// <summary>What a template gave.</summary>
/// <param name="Text">The text.</param>
/// <param name="GenerationSpans">
/// Where <c>{% generation %}</c> blocks lie in the text (what the assistant says), as offsets in UTF-16 units; the end is
/// exclusive. Empty where the template has no such marks.
/// </param>
public sealed record RenderedTemplate(string Text, IReadOnlyList<(int Start, int End)> GenerationSpans);
