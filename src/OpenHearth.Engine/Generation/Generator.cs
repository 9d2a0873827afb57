using System.Diagnostics;
using OpenHearth.Engine.Sampling;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// Goes from a prompt to text on one session. The session keeps the prompt and the answer, so that a next prompt which
/// begins with them is read from there on. <see cref="Model.CreateGenerator"/> makes one; the session is its own and ends
/// with it. Not thread-safe.
/// </summary>
public sealed class Generator : IDisposable
{
    private readonly Tokenizer _tokenizer;
    private readonly CachedSequence _sequence;
    // A model may have more rows than the tokenizer has tokens; those are never chosen.
    private readonly int _vocabularySize;

    private readonly int? _endOfTurn;
    private int _forgotten; // tokens of the sequence, in this answer

    internal Generator(Tokenizer tokenizer, ISequence sequence, int? endOfTurn = null)
    {
        (_tokenizer, _sequence, _endOfTurn) = (tokenizer, new CachedSequence(sequence), endOfTurn);
        _vocabularySize = Math.Min(tokenizer.VocabularySize, sequence.VocabularySize);
    }

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength => _sequence.ContextLength;

    /// <summary>Continues a text as it stands, without a chat template; special tokens in it are read as such.</summary>
    /// <inheritdoc cref="Generate(ReadOnlySpan{int}, GenerationOptions, Action{string}, CancellationToken)"/>
    public GenerationResult Generate(string prompt, GenerationOptions options, Action<string>? onText = null, CancellationToken cancellation = default) =>
        Generate(_tokenizer.Encode(prompt, parseSpecial: true), options, onText, cancellation);

    /// <summary>Continues ids. Runs on the calling thread, and the engine's own, until the answer ends.</summary>
    /// <param name="prompt">The ids, at least one.</param>
    /// <param name="options">How to choose tokens and when to end.</param>
    /// <param name="onText">Gets the text in pieces as it is made: whole characters, and nothing that a stop text takes back.</param>
    /// <param name="cancellation">Ends the answer after the current step; what was made comes back, as <see cref="FinishReason.Cancelled"/>.</param>
    /// <exception cref="ArgumentException">The prompt is empty or an option is out of its range.</exception>
    /// <exception cref="ContextOverflowException">The prompt leaves no room for a token and may not be shifted.</exception>
    /// <exception cref="NotFiniteNumberException">The model gave NaN, or biases leave no token to choose.</exception>
    public GenerationResult Generate(ReadOnlySpan<int> prompt, GenerationOptions options, Action<string>? onText = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (prompt.IsEmpty)
            throw new ArgumentException("The prompt is empty, and the model has no token that begins a text: give it at least one character.", nameof(prompt));
        if (prompt.Length >= ContextLength && !options.ContextShift)
            throw Overflow(prompt.Length, ContextLength);
        if (options.ContextShift && options.KeptTokens > ContextLength - 4)
            throw new ContextOverflowException($"A context of {ContextLength} tokens can't be shifted while {options.KeptTokens} are kept: keep fewer or ask for a longer context.");
        var sampler = new Sampler(options.Sampling, _vocabularySize, DryBreakerTokens.Find(options.Sampling, _tokenizer));
        foreach (var id in prompt)
            sampler.Accept(id);

        var start = Stopwatch.GetTimestamp();
        var seen = prompt.Length < ContextLength ? prompt : CachedSequence.Shifted(prompt, options.KeptTokens, ContextLength);
        _forgotten = 0;
        var unread = _sequence.Rewind(seen);
        var logits = _sequence.Read(seen, cancellation);
        var read = Stopwatch.GetTimestamp();
        var text = new AnswerText(_tokenizer.StartDecoding(skipSpecial: true), options.Stop, onText);
        var tokens = new List<int>();
        var reason = logits.IsEmpty ? FinishReason.Cancelled : Decode(logits, sampler, options, text, tokens, cancellation);
        var whole = text.Finish();
        // The token that a stop or the limit came with was not put through the model.
        var steps = Math.Max(0, _sequence.Count + _forgotten - seen.Length);
        var timings = new GenerationTimings(Stopwatch.GetElapsedTime(start, read), unread, Stopwatch.GetElapsedTime(read), steps);
        return new(whole, tokens, reason, prompt.Length, seen.Length - unread, sampler.Seed, timings, prompt.Length - seen.Length + _forgotten);
    }

    /// <summary>Ends the session.</summary>
    public void Dispose() => _sequence.Dispose();

    internal static ContextOverflowException Overflow(int promptTokens, int contextLength) => new(
        $"The prompt has {promptTokens} tokens and the context holds {contextLength}, at least one of them for the answer: shorten the prompt, ask for a longer context (--ctx), or let the oldest tokens be forgotten (context shift).");

    private FinishReason Decode(
        ReadOnlySpan<float> logits, Sampler sampler, GenerationOptions options, AnswerText text, List<int> tokens, CancellationToken cancellation)
    {
        var maxTokens = options.MaxTokens ?? int.MaxValue;
        while (tokens.Count < maxTokens)
        {
            if (cancellation.IsCancellationRequested)
                return FinishReason.Cancelled;
            var token = sampler.Next(logits[.._vocabularySize]);
            if (token == _endOfTurn || _tokenizer.EndOfGeneration.Contains(token))
                return FinishReason.Stop;
            sampler.Accept(token);
            tokens.Add(token);
            if (!text.Append(token))
                return FinishReason.Stop;
            if (tokens.Count == maxTokens || (_sequence.Count == ContextLength && !options.ContextShift))
                break;
            if (_sequence.Count == ContextLength)
                _forgotten += _sequence.Shift(options.KeptTokens, cancellation);
            if (cancellation.IsCancellationRequested)
                return FinishReason.Cancelled;
            logits = _sequence.Step([token]);
        }
        return FinishReason.Length;
    }
}
