using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>SentencePiece's normalizer: replacements by longest prefix, blanks collapsed and written as U+2581, one put in front.</summary>
internal sealed class SentencePieceNormalizer : TextNormalizer
{
    /// <summary>Replacements, or null for none.</summary>
    public PrecompiledCharsMap? CharsMap { get; init; }

    /// <summary>Pieces that stay as they are.</summary>
    public ByteTrie? UserDefined { get; init; }

    /// <summary>Put a blank in front (behind, with <see cref="BlankIsSuffix"/>).</summary>
    public bool AddsPrefix { get; init; }

    /// <summary>The vocabulary has blanks at the end of words.</summary>
    public bool BlankIsSuffix { get; init; }

    /// <summary>Blanks at both ends are dropped, runs of them become one.</summary>
    public bool CollapsesBlanks { get; init; }

    /// <summary>Offsets as SentencePiece gives them; else as Hugging Face's tokenizers do.</summary>
    public bool EndsAtNext { get; init; }

    public override void Apply(TextBuffer from, TextBuffer into, bool isFirst)
    {
        var text = from.Span;
        into.EndsAtNext = EndsAtNext;
        var at = 0;
        while (CollapsesBlanks && at < text.Length && Next(text[at..], out var first) is var skip && first is [(byte)' '])
            at += skip;
        if (at == text.Length)
            return;
        if (AddsPrefix && !BlankIsSuffix)
            into.Append(CodePoints.Blank, from, at, EndsAtNext ? at : at + CodePoints.LengthFrom(text[at]));
        var afterBlank = CollapsesBlanks;
        while (at < text.Length)
        {
            var length = Next(text[at..], out var replacement);
            while (afterBlank && replacement.StartsWith((byte)' '))
                replacement = replacement[1..];
            foreach (var part in replacement)
                into.Append(part == ' ' ? CodePoints.Blank : [part], from, at, at + length);
            if (replacement.Length > 0)
                afterBlank = CollapsesBlanks && replacement[^1] == ' ';
            at += length;
        }
        var end = text.Length;
        while (CollapsesBlanks && into.Span.EndsWith(CodePoints.Blank))
        {
            into.Truncate(into.Length - CodePoints.Blank.Length);
            end = -1;
        }
        if (AddsPrefix && BlankIsSuffix)
            into.Append(CodePoints.Blank, from, text.Length, text.Length);
        if (end > 0)
            into.End = from.EndOf(end);
    }

    private int Next(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        if (UserDefined is not null && UserDefined.Longest(text, out _) is var length and > 0)
        {
            replacement = text[..length];
            return length;
        }
        if (CharsMap is not null && CharsMap.Longest(text, out replacement) is var replaced and > 0)
            return replaced;
        length = Math.Min(CodePoints.LengthFrom(text[0]), text.Length);
        replacement = text[..length];
        return length;
    }
}
