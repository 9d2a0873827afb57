using OpenHearth.Engine.Tokenization.Models;
using OpenHearth.Engine.Tokenization.Normalizers;
using OpenHearth.Engine.Tokenization.PreTokenizers;
using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>
/// Text to ids: added tokens are cut out, the text between them is normalized, added tokens that are looked for in
/// normalized text are cut out of that, the rest is cut into pieces and handed to the model. Immutable, thread-safe.
/// </summary>
internal sealed class TokenizerPipeline
{
    private readonly TokenModel _model;
    private readonly TextNormalizer[] _normalizers;
    private readonly AddedTokenMatcher _all, _plain, _allNormalized, _plainNormalized;

    /// <param name="model">Pieces to tokens.</param>
    /// <param name="normalizers">Rewritings of the whole text between two added tokens, in order.</param>
    /// <param name="added">Tokens that are cut out.</param>
    public TokenizerPipeline(TokenModel model, TextNormalizer[] normalizers, AddedToken[] added)
    {
        (_model, _normalizers) = (model, normalizers);
        var raw = Array.FindAll(added, t => !t.IsNormalized);
        var normalized = Array.ConvertAll(Array.FindAll(added, t => t.IsNormalized), t => t with { Content = Normalize(t.Content) });
        AddedTokens = [.. raw, .. normalized];
        _all = new AddedTokenMatcher(raw);
        _plain = new AddedTokenMatcher(Array.FindAll(raw, t => !t.IsSpecial));
        _allNormalized = new AddedTokenMatcher(normalized);
        _plainNormalized = new AddedTokenMatcher(Array.FindAll(normalized, t => !t.IsSpecial));
    }

    /// <summary>The tokens that are cut out, with normalized contents where they are looked for in normalized text.</summary>
    public AddedToken[] AddedTokens { get; }

    /// <summary>Cuts of pieces, in order: first these, then the rewriting, then <see cref="LastSplitters"/>.</summary>
    public Splitter[] Splitters { get; init; } = [];

    /// <summary>A rewriting of each piece, or null.</summary>
    public PieceRewriter? Rewriter { get; init; }

    /// <summary>Cuts of rewritten pieces.</summary>
    public Splitter[] LastSplitters { get; init; } = [];

    /// <summary>The span of a token leaves out spaces at its ends.</summary>
    public bool TrimsOffsets { get; init; }

    /// <summary>Appends the tokens of the workspace's raw text to its list.</summary>
    public void Encode(Workspace work, bool parseSpecial)
    {
        var matcher = parseSpecial ? _all : _plain;
        for (var at = 0; at < work.Raw.Length;)
        {
            var token = matcher.Next(work.Raw.Span, at, out var start, out var end);
            if (start > at)
                EncodeText(work, at, start, parseSpecial ? _allNormalized : _plainNormalized);
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

    private void EncodeText(Workspace work, int start, int end, AddedTokenMatcher normalized)
    {
        var text = work.Raw;
        if (_normalizers.Length > 0)
        {
            work.Current.Clear(work.Tokens.HasOffsets);
            work.Current.Append(text, start, end);
            Normalize(work, isFirst: start == 0);
            text = work.Current;
            (start, end) = (0, text.Length);
        }
        for (var at = start; at < end;)
        {
            var token = normalized.Next(text.Span[..end], at, out var next, out var after);
            EncodePieces(work, text, at, next);
            if (token is not null)
                work.Tokens.Add(new Token(token.Id, after - next), text, next);
            at = after;
        }
    }

    private void Normalize(Workspace work, bool isFirst)
    {
        foreach (var normalizer in _normalizers)
        {
            if (!normalizer.Changes(work.Current.Span))
                continue;
            work.Next.Clear(work.Tokens.HasOffsets);
            normalizer.Apply(work.Current, work.Next, isFirst);
            work.SwapText();
        }
    }

    private byte[] Normalize(byte[] content)
    {
        var work = new Workspace();
        work.Current.Append(content, 0, 0);
        Normalize(work, isFirst: true);
        return work.Current.Span.ToArray();
    }

    private void EncodePieces(Workspace work, TextBuffer text, int start, int end)
    {
        if (start == end)
            return;
        work.Cuts.Clear();
        work.Cuts.Add(end);
        Split(work, Splitters, text, start);
        if (Rewriter is not null)
        {
            text = Rewrite(work, Rewriter, text, start);
            start = 0;
            Split(work, LastSplitters, text, start);
        }
        for (var (i, from) = (0, start); i < work.Cuts.Count; from = work.Cuts[i++])
        {
            if (!work.Cuts.IsDropped(i))
                _model.Encode(work, text, from, work.Cuts[i]);
        }
    }

    private static void Split(Workspace work, Splitter[] splitters, TextBuffer text, int start)
    {
        foreach (var splitter in splitters)
        {
            work.NextCuts.Clear();
            for (var (i, from) = (0, start); i < work.Cuts.Count; from = work.Cuts[i++])
            {
                if (work.Cuts.IsDropped(i))
                    work.NextCuts.Drop(work.Cuts[i]);
                else
                    splitter.Split(text.Span, from, work.Cuts[i], work.NextCuts);
            }
            work.SwapCuts();
        }
    }

    private static TextBuffer Rewrite(Workspace work, PieceRewriter rewriter, TextBuffer text, int start)
    {
        work.Pieces.Clear(work.Tokens.HasOffsets);
        work.NextCuts.Clear();
        for (var (i, from) = (0, start); i < work.Cuts.Count; from = work.Cuts[i++])
        {
            if (work.Cuts.IsDropped(i))
                continue;
            rewriter.Apply(text, from, work.Cuts[i], work.Pieces);
            work.NextCuts.Add(work.Pieces.Length);
        }
        work.SwapCuts();
        return work.Pieces;
    }
}
