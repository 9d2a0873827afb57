namespace OpenHearth.Engine.Evaluation;

/// <summary>One window of a text and what a model predicts from its middle on.</summary>
internal sealed class ScoredWindow
{
    private readonly int _middle;
    private readonly int[] _ids;
    private readonly float[] _logits;
    private readonly int _vocabulary;

    private ScoredWindow(int window, int vocabulary)
    {
        // Positions from the middle on predict the tokens after it; the last position has nothing to predict.
        _middle = window / 2;
        _ids = new int[window];
        _vocabulary = vocabulary;
        _logits = new float[checked((window - 1 - _middle) * vocabulary)];
    }

    /// <summary>Tokens predicted.</summary>
    public int Count => _ids.Length - 1 - _middle;

    /// <summary>[vocabulary] the scores for a predicted token</summary>
    public ReadOnlySpan<float> Logits(int i) => _logits.AsSpan(i * _vocabulary, _vocabulary);

    /// <summary>The token that follows in the text.</summary>
    public int Next(int i) => _ids[_middle + 1 + i];

    /// <summary>Every window of a text, as <see cref="Perplexity.Measure"/> describes them: the same object again and again.</summary>
    public static IEnumerable<ScoredWindow> All(Model model, ReadOnlyMemory<int> tokens, int window, int windows, int? firstToken, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 4);
        ArgumentOutOfRangeException.ThrowIfNegative(windows);
        if (!model.Info.GivesLogits)
            throw new NotSupportedException($"{model.Info.Name} is an encoder ({model.Info.Architecture}): it doesn't predict text.");
        if (tokens.Length < window)
            throw new ArgumentException($"The text has {tokens.Length} tokens, one window takes {window}.", nameof(tokens));
        var count = tokens.Length / window;
        return Run(model, tokens, new ScoredWindow(window, model.Info.OutputWidth), windows > 0 ? Math.Min(windows, count) : count, firstToken, cancellation);
    }

    private static IEnumerable<ScoredWindow> Run(Model model, ReadOnlyMemory<int> tokens, ScoredWindow window, int windows, int? firstToken, CancellationToken cancellation)
    {
        var ids = window._ids;
        using var session = model.CreateSession(ids.Length);
        for (var i = 0; i < windows; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            tokens.Span.Slice(i * ids.Length, ids.Length).CopyTo(ids);
            if (firstToken is { } first)
                ids[0] = first;
            session.Truncate(0);
            session.Step(ids.AsSpan(0, ids.Length - 1), window._logits);
            yield return window;
        }
    }
}
