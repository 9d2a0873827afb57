namespace OpenHearth.Engine.Evaluation;

/// <summary>
/// How well a model predicts a text, as llama.cpp's perplexity tool defines it: the tokens are cut into windows that don't
/// overlap, each is read from an empty context, and the tokens after its middle are scored.
/// </summary>
public sealed class Perplexity
{
    private double _squares;

    /// <summary>Σ -ln p over the scored tokens.</summary>
    public double NegativeLogLikelihood { get; private set; }

    /// <summary>Tokens scored.</summary>
    public int Scored { get; private set; }

    /// <summary>e^(mean of -ln p).</summary>
    public double Value => Math.Exp(NegativeLogLikelihood / Scored);

    /// <summary>Standard error of <see cref="Value"/>.</summary>
    public double StandardError
    {
        get
        {
            var mean = NegativeLogLikelihood / Scored;
            return Value * Math.Sqrt(Math.Max((_squares / Scored) - (mean * mean), 0) / (Scored - 1));
        }
    }

    /// <summary>Scores a text.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">The text, without special tokens.</param>
    /// <param name="window">Tokens in a window; at least 4.</param>
    /// <param name="windows">How many windows at most; 0 for all that are whole.</param>
    /// <param name="firstToken">Replaces the first token of every window: the beginning-of-text token where the model wants one.</param>
    /// <param name="cancellation">Ends the work between windows.</param>
    /// <exception cref="NotSupportedException">The model is an encoder.</exception>
    /// <exception cref="NotFiniteNumberException">The model gave NaN or infinities.</exception>
    /// <returns>The same object after every window, for running values.</returns>
    public static IEnumerable<Perplexity> Measure(Model model, ReadOnlyMemory<int> tokens, int window = 512, int windows = 0, int? firstToken = null, CancellationToken cancellation = default)
    {
        var result = new Perplexity();
        return ScoredWindow.All(model, tokens, window, windows, firstToken, cancellation).Select(scored =>
        {
            result.Add(scored);
            return result;
        });
    }

    internal void Add(ScoredWindow window)
    {
        for (var i = 0; i < window.Count; i++)
        {
            var row = window.Logits(i);
            var loss = LogSumExp(row) - row[window.Next(i)];
            NegativeLogLikelihood += loss;
            _squares += loss * loss;
        }
        if (!double.IsFinite(_squares))
            throw new NotFiniteNumberException("A token of the text has no finite probability: the model's numbers broke down. Its file may be damaged.");
        Scored += window.Count;
    }

    internal static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
            largest = MathF.Max(largest, logit);
        var sum = 0.0;
        foreach (var logit in logits)
            sum += MathF.Exp(logit - largest);
        return largest + Math.Log(sum);
    }
}
