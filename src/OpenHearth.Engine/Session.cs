using OpenHearth.Engine.Generation;
using OpenHearth.Engine.KvCache;

namespace OpenHearth.Engine;

/// <summary>
/// One sequence and what the model remembers of it. A session is used by one thread at a time; sessions of one model may be
/// used by many threads, whose steps then wait for each other.
/// </summary>
public sealed class Session : ISequence, IDisposable
{
    private readonly Batch _batch = new();

    internal Session(Model model, SequenceState state, int contextLength)
    {
        Model = model;
        State = state;
        ContextLength = contextLength;
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Tokens remembered.</summary>
    public int Length => State.Remembered;

    /// <summary>Tokens that it can remember.</summary>
    public int ContextLength { get; }

    internal SequenceState State { get; }

    int ISequence.VocabularySize => Model.Info.VocabularySize;

    /// <summary>Takes the next tokens in.</summary>
    /// <param name="tokens">At least one; long prompts are cut into steps.</param>
    /// <returns>[vocabulary] the scores of what follows the last one (an encoder's hidden state: [width]); valid until this session's next step</returns>
    /// <exception cref="ContextOverflowException">They don't fit; nothing was taken in.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not in the vocabulary; nothing was taken in.</exception>
    public ReadOnlySpan<float> Step(scoped ReadOnlySpan<int> tokens)
    {
        _batch.Clear();
        _batch.Add(this, tokens);
        Model.Step(_batch);
        return _batch.Results(0);
    }

    /// <summary>Takes the next tokens in and gives the results of the last ones, or of all.</summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="results">[rows, vocabulary] where rows is at most the number of tokens; filled for the last tokens</param>
    /// <exception cref="ContextOverflowException">They don't fit; nothing was taken in.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not in the vocabulary; nothing was taken in.</exception>
    public void Step(ReadOnlySpan<int> tokens, Span<float> results)
    {
        var (rows, rest) = Math.DivRem(results.Length, Model.Info.OutputWidth);
        if (rest != 0)
            throw new ArgumentException($"{results.Length} values are no whole rows of {Model.Info.OutputWidth}.", nameof(results));
        _batch.Clear();
        _batch.Add(this, tokens, rows);
        Model.Step(_batch, results);
    }

    /// <summary>
    /// Forgets all but the first <paramref name="length"/> tokens. A recurrent model goes back to a checkpoint before there, of which it keeps
    /// a few, and a model with windows that has freed more than 256 tokens goes back to the start; the next step then takes in again what lies between.
    /// </summary>
    public void Truncate(int length) => State.Truncate(length);

    /// <summary>A session that remembers the same; memory is shared until one of them goes on.</summary>
    public Session Fork() => new(Model, State.Fork(), ContextLength);

    /// <summary>
    /// Writes what is remembered to a file, which appears when it is whole, in place of any other. <see cref="Model.LoadSession"/>
    /// reads it. It holds keys and values and, for some models, the tokens: as private as the text itself.
    /// </summary>
    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; nothing is left behind.</exception>
    public void Save(string path, CancellationToken cancellation = default) => SessionFile.Write(path, Model.Identity, State.Save, cancellation);

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        State.Dispose();
        _batch.Dispose();
    }
}
