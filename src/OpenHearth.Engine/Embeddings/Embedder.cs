namespace OpenHearth.Engine.Embeddings;

/// <summary>
/// Turns texts into vectors of length 1, whose dot product says how near their meanings are. Not thread-safe; the model
/// stays the caller's and must outlive it.
/// </summary>
public sealed class Embedder : IDisposable
{
    private const int LargestBatch = 32; // texts
    private const int LongestBatch = 512; // tokens, unless one text alone has more

    private readonly Model _model;
    private readonly List<Session> _sessions = [];
    private readonly Batch _batch = new();

    /// <summary>Makes an embedder.</summary>
    /// <param name="model">An encoder, or a decoder that says how its rows become one vector.</param>
    /// <param name="pooling">Null for what the model says, or the mean where it doesn't.</param>
    /// <exception cref="NotSupportedException">The model gives scores of the vocabulary.</exception>
    public Embedder(Model model, Pooling? pooling = null)
    {
        if (model.Info.GivesLogits)
            throw new NotSupportedException($"{model.Info.Name} is no encoder ({model.Info.Architecture}): it gives text, not vectors. Use an embedding model such as all-MiniLM-L6-v2.");
        _model = model;
        Pooling = pooling ?? model.Info.Pooling ?? Pooling.Mean;
    }

    /// <summary>How tokens become one vector.</summary>
    public Pooling Pooling { get; }

    /// <summary>Values of a vector.</summary>
    public int Dimensions => _model.Info.OutputWidth;

    /// <summary>The vectors of texts, in their order.</summary>
    /// <param name="texts">Any number of any length that the model can take; they go through it several at once. Special tokens are not read in them.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ContextOverflowException">A text has more tokens than the model takes; the message has both numbers.</exception>
    /// <exception cref="NotFiniteNumberException">The model gave NaN or infinities.</exception>
    public float[][] Embed(IReadOnlyList<string> texts, CancellationToken cancellation = default) =>
        EmbedIds([.. texts.Select(text => _model.Tokenizer.Encode(text))], cancellation);

    /// <summary>The vectors of texts that are tokens already, those around a text such as [CLS] included.</summary>
    /// <param name="texts">At least one token each.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ContextOverflowException">A text has more tokens than the model takes; the message has both numbers.</exception>
    /// <exception cref="NotFiniteNumberException">The model gave NaN or infinities.</exception>
    /// <exception cref="ArgumentException">A text has no tokens.</exception>
    public float[][] EmbedIds(IReadOnlyList<int[]> texts, CancellationToken cancellation = default)
    {
        for (var i = 0; i < texts.Count; i++)
        {
            if (texts[i].Length == 0)
                throw new ArgumentException($"Text {i + 1} of {texts.Count} has no tokens.", nameof(texts));
            if (texts[i].Length > _model.LongestContext)
                throw new ContextOverflowException($"Text {i + 1} of {texts.Count} has {texts[i].Length} tokens; {_model.Info.Name} takes at most {_model.LongestContext}.");
        }
        var vectors = new float[texts.Count][];
        for (var first = 0; first < texts.Count;)
        {
            cancellation.ThrowIfCancellationRequested();
            var end = first;
            for (var tokens = 0; end < texts.Count && end - first < LargestBatch && (end == first || tokens + texts[end].Length <= LongestBatch); end++)
                tokens += texts[end].Length;
            Run(texts, vectors, first, end);
            first = end;
        }
        return vectors;
    }

    /// <summary>Frees the memory of the steps.</summary>
    public void Dispose()
    {
        _batch.Dispose();
        foreach (var session in _sessions)
            session.Dispose();
    }

    private void Run(IReadOnlyList<int[]> texts, float[][] vectors, int first, int end)
    {
        _batch.Clear();
        for (var i = first; i < end; i++)
        {
            if (_sessions.Count == i - first)
                _sessions.Add(_model.CreateSession());
            var session = _sessions[i - first];
            session.Truncate(0);
            _batch.Add(session, texts[i], Pooling == Pooling.Last ? 1 : texts[i].Length);
        }
        _model.Step(_batch);
        for (var i = first; i < end; i++)
            vectors[i] = Pool(i - first, texts[i].Length);
    }

    private float[] Pool(int run, int tokens)
    {
        var sum = new double[Dimensions];
        var rows = Pooling == Pooling.Mean ? tokens : 1;
        for (var t = 0; t < rows; t++)
        {
            var row = _batch.Results(run, t);
            for (var i = 0; i < row.Length; i++)
                sum[i] += row[i];
        }
        // The mean's divisor goes with the length.
        var length = Math.Sqrt(sum.Sum(value => value * value));
        if (!double.IsFinite(length))
            throw new NotFiniteNumberException($"{_model.Info.Name} gave values that are no finite numbers. Its file may be damaged.");
        return Array.ConvertAll(sum, value => length > 0 ? (float)(value / length) : 0f);
    }
}
