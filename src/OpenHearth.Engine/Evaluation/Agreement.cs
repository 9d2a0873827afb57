namespace OpenHearth.Engine.Evaluation;

/// <summary>
/// How far a model's predictions of a text are from those of a reference with the same vocabulary, over the tokens that
/// <see cref="Perplexity"/> scores: how often both would choose the same token, and how different their distributions are.
/// </summary>
public sealed class Agreement
{
    private double _divergence;
    private int _sameTop;

    /// <summary>Of the model.</summary>
    public Perplexity Perplexity { get; } = new();

    /// <summary>Of the reference.</summary>
    public Perplexity ReferencePerplexity { get; } = new();

    /// <summary>Part of the tokens for which both have the same most probable one; of several equal ones the first counts.</summary>
    public double TopAgreement => (double)_sameTop / Perplexity.Scored;

    /// <summary>Mean of KL(reference ‖ model) = Σ p ln(p / q) in nats.</summary>
    public double MeanDivergence => _divergence / Perplexity.Scored;

    /// <summary>The largest KL(reference ‖ model) of a token, in nats.</summary>
    public double LargestDivergence { get; private set; }

    /// <summary>Compares two models over a text; windows as for <see cref="Perplexity.Measure"/>.</summary>
    /// <param name="model">The model.</param>
    /// <param name="reference">What it is compared with.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="window">Tokens in a window; at least 4.</param>
    /// <param name="windows">How many windows at most; 0 for all that are whole.</param>
    /// <param name="firstToken">Replaces the first token of every window.</param>
    /// <param name="cancellation">Ends the work between windows.</param>
    /// <returns>The same object after every window, for running values.</returns>
    /// <exception cref="ArgumentException">The text is shorter than a window, or the vocabularies differ in size.</exception>
    /// <exception cref="NotSupportedException">A model is an encoder.</exception>
    /// <exception cref="NotFiniteNumberException">A model gave NaN or infinities.</exception>
    public static IEnumerable<Agreement> Measure(Model model, Model reference, ReadOnlyMemory<int> tokens, int window = 512, int windows = 0, int? firstToken = null, CancellationToken cancellation = default)
    {
        if (model.Info.OutputWidth != reference.Info.OutputWidth)
            throw new ArgumentException($"Vocabularies of {model.Info.OutputWidth} and {reference.Info.OutputWidth} tokens can't be compared.", nameof(reference));
        var result = new Agreement();
        var ours = ScoredWindow.All(model, tokens, window, windows, firstToken, cancellation);
        var theirs = ScoredWindow.All(reference, tokens, window, windows, firstToken, cancellation);
        return ours.Zip(theirs, (a, b) =>
        {
            result.Add(a, b);
            return result;
        });
    }

    internal void Add(ScoredWindow model, ScoredWindow reference)
    {
        Perplexity.Add(model);
        ReferencePerplexity.Add(reference);
        for (var i = 0; i < model.Count; i++)
            Add(model.Logits(i), reference.Logits(i));
    }

    private void Add(ReadOnlySpan<float> q, ReadOnlySpan<float> p)
    {
        var (qSum, pSum) = (Perplexity.LogSumExp(q), Perplexity.LogSumExp(p));
        var divergence = 0.0;
        var (bestQ, bestP) = (0, 0);
        for (var i = 0; i < p.Length; i++)
        {
            var logP = p[i] - pSum;
            divergence += Math.Exp(logP) * (logP - (q[i] - qSum));
            bestQ = q[i] > q[bestQ] ? i : bestQ;
            bestP = p[i] > p[bestP] ? i : bestP;
        }
        _sameTop += bestQ == bestP ? 1 : 0;
        _divergence += divergence;
        LargestDivergence = Math.Max(LargestDivergence, divergence);
    }
}
