using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>
/// Text to ids: added tokens are cut out, the text between them is normalized, cut into pieces and handed to the model.
/// Immutable, thread-safe.
/// </summary>
internal sealed class TokenizerPipeline(TokenModel model)
{
    private readonly AddedTokenMatcher _all = new([]);
    private readonly AddedTokenMatcher _plain = new([]);

    /// <summary>Rewritings of the whole text between two added tokens, in order.</summary>
    public TextNormalizer[] Normalizers { get; init; } = [];

    /// <summary>Cuts and rewritings of pieces, in order.</summary>
    public Splitter[] Splitters { get; init; } = [];

    /// <summary>The span of a token leaves out blanks at its ends.</summary>
    public bool TrimsOffsets { get; init; }

    /// <summary>Tokens that are cut out before all else.</summary>
    public AddedToken[] AddedTokens
    {
        init
        {
            _all = new AddedTokenMatcher(value);
            _plain = new AddedTokenMatcher(value.Where(t => !t.IsSpecial));
        }
    }

    /// <summary>Appends the tokens of the workspace's raw text to its list.</summary>
    public void Encode(Workspace work, bool parseSpecial)
    {
        var matcher = parseSpecial ? _all : _plain;
        for (var at = 0; at < work.Raw.Length;)
        {
            var token = matcher.Next(work.Raw.Span, at, out var start, out var end);
            if (start > at)
                EncodeText(work, at, start);
            if (token is not null)
                work.Tokens.Add(token.Id, start, end);
            at = end;
        }
        if (TrimsOffsets && work.Tokens.HasOffsets)
            TrimOffsets(work);
    }

    private static void TrimOffsets(Workspace work)
    {
        var text = work.Raw.Span;
        for (var i = 0; i < work.Tokens.Count; i++)
        {
            var (start, end) = work.Tokens.Offsets(i);
            while (start < end && text[start] == ' ')
                start++;
            while (end > start && text[end - 1] == ' ')
                end--;
            work.Tokens.SetOffsets(i, start, end);
        }
    }

    private void EncodeText(Workspace work, int start, int end)
    {
        if (Normalizers.Length == 0)
        {
            EncodePieces(work, work.Raw, start, end);
            return;
        }
        work.Current.Clear(work.Tokens.HasOffsets);
        work.Current.Append(work.Raw, start, end);
        foreach (var normalizer in Normalizers)
        {
            if (!normalizer.Changes(work.Current.Span))
                continue;
            work.Next.Clear(work.Tokens.HasOffsets);
            normalizer.Apply(work.Current, work.Next, isFirst: start == 0);
            work.SwapText();
        }
        EncodePieces(work, work.Current, 0, work.Current.Length);
    }

    private void EncodePieces(Workspace work, TextBuffer text, int start, int end)
    {
        if (start == end)
            return;
        work.Cuts.Clear();
        work.Cuts.Add(end);
        foreach (var splitter in Splitters)
        {
            work.NextCuts.Clear();
            var from = start;
            for (var i = 0; i < work.Cuts.Count; i++)
            {
                if (work.Cuts.IsDropped(i))
                    work.NextCuts.Drop(work.Cuts[i]);
                else
                    splitter.Split(text.Span, from, work.Cuts[i], work.NextCuts);
                from = work.Cuts[i];
            }
            work.SwapCuts();
        }
        for (var (i, from) = (0, start); i < work.Cuts.Count; from = work.Cuts[i++])
        {
            if (!work.Cuts.IsDropped(i))
                model.Encode(work, text, from, work.Cuts[i]);
        }
    }
}
