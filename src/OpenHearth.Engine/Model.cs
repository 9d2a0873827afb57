using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Generation;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Profiling;
using OpenHearth.Engine.Templates;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine;

/// <summary>
/// A model in memory: weights, mapped from its files, its architecture, its tokenizer. Thread-safe: steps of many
/// threads wait for each other. Sessions must be disposed of before their model.
/// </summary>
public sealed class Model : IDisposable
{
    private const int LongestEncoderStep = 8192;

    private readonly Lock _stepping = new();
    private readonly ModelSource _source;
    private readonly ModelWeights _weights;
    private readonly Stepper _stepper;
    private readonly BlockPool _blocks;
    private readonly ComputePool _pool;
    private readonly Lazy<Tokenizer> _tokenizer;
    private readonly Lazy<ChatTemplate?> _chatTemplate;
    private readonly Lazy<byte[]> _identity;
    private readonly int _defaultContext;
    private readonly int _maximumStep;
    private bool _disposed;

    private Model(ModelSource source, ModelWeights weights, ModelGraph graph, ModelInfo info, ModelOptions options, bool fuse, CpuLevel level)
    {
        _source = source;
        _weights = weights;
        Graph = graph;
        UnusedTensors = [.. weights.Unused];
        Info = info;
        _tokenizer = new Lazy<Tokenizer>(source.ReadTokenizer);
        _chatTemplate = new Lazy<ChatTemplate?>(() => source.ReadChatTemplate() is { } text ? ChatTemplate.Parse(text) : null);
        _identity = new Lazy<byte[]>(() => ModelIdentity.Of(source, $"{options.Cache.Keys.Name} {options.Cache.Values.Name} {options.Exact}"));
        _defaultContext = options.ContextLength;
        _pool = new ComputePool(options.Threads > 0 ? options.Threads : CpuFeatures.Current.Cores, level);
        _maximumStep = graph.SeesAhead ? Math.Max(options.MaximumStepTokens, Math.Min(LongestContext, LongestEncoderStep)) : options.MaximumStepTokens;
        var layout = new CacheLayout(graph, options.Cache, _maximumStep);
        _blocks = new BlockPool(layout);
        _stepper = new Stepper(Plan.Of(graph, fuse), _pool, options.Exact ? Precision.Exact : Precision.Fast, layout, _maximumStep);
    }

    /// <summary>What there is to know of it.</summary>
    public ModelInfo Info { get; }

    /// <summary>Turns text into tokens and back. Read when it is first asked for.</summary>
    /// <exception cref="ModelFormatException">The model has no tokenizer, or one that can't be read.</exception>
    public Tokenizer Tokenizer => _tokenizer.Value;

    /// <summary>Threads that compute.</summary>
    public int Threads => _pool.Threads;

    /// <summary>
    /// Tokens that a session can have at most: what the model was made for, or more where <see cref="ModelOptions.ContextLength"/> asks for it
    /// and the model has no table of positions, which would end there.
    /// </summary>
    public int LongestContext => HasPositionTable ? Info.ContextLength : Math.Max(Info.ContextLength, _defaultContext);

    /// <summary>How a chat becomes a prompt; ChatML where the model does not say.</summary>
    /// <exception cref="TemplateException">What the model says is no template.</exception>
    /// <exception cref="ModelFormatException">The file that holds it is damaged.</exception>
    public ChatTemplate ChatTemplate => _chatTemplate.Value ?? ChatTemplate.ChatMl;

    /// <summary>True where the model brings no chat template, so that ChatML is a guess which the user should hear of.</summary>
    public bool ChatTemplateIsGuess => _chatTemplate.Value is null;

    internal ModelGraph Graph { get; }

    /// <summary>Tensors of the file that the architecture didn't ask for.</summary>
    internal IReadOnlyList<string> UnusedTensors { get; }

    internal byte[] Identity => _identity.Value;

    /// <summary>Bytes that the values of steps take so far.</summary>
    internal long ArenaBytes => _stepper.ArenaBytes;

    internal BlockPool Blocks => _blocks;

    private bool HasPositionTable => Graph.Nodes.Any(node => node is PositionEmbeddingOp);

    /// <summary>Opens a model.</summary>
    /// <param name="path">A GGUF file (any part of a split one), a safetensors file or index, or the folder of a Hugging Face model.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It can't be read, or its architecture is not known.</exception>
    public static Model Load(string path, ModelOptions? options = null)
    {
        options ??= new ModelOptions();
        return Load(path, options with { Threads = Math.Min(options.Threads, CpuFeatures.Current.Cores) }, fuse: true);
    }

    internal static Model Load(string path, ModelOptions options, bool fuse, CpuLevel? level = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumStepTokens, 1, nameof(options));
        var source = ModelSource.Open(path, options.Exact);
        ModelWeights? weights = null;
        try
        {
            var (name, architecture) = ArchitectureRegistry.Get(source);
            weights = new ModelWeights(source, architecture.Names(source.Parameters));
            // Only embedding models say how rows become one vector.
            var graph = architecture.Build(new GraphBuilder(weights) { GivesHidden = source.FindPooling() is not null }, source.Parameters);
            return new Model(source, weights, graph, source.Describe(name, graph), options, fuse, level ?? CpuFeatures.Current.Level);
        }
        catch (OverflowException exception)
        {
            weights?.Dispose();
            source.Dispose();
            throw new ModelFormatException($"{path}: sizes that the model gives are too large", exception);
        }
        catch
        {
            weights?.Dispose();
            source.Dispose();
            throw;
        }
    }

    /// <summary>Begins a sequence.</summary>
    /// <param name="contextLength">Tokens that it can remember; 0 for the model's own length, or as much of it as memory holds.</param>
    /// <exception cref="ContextOverflowException">They are more than <see cref="LongestContext"/>, or memory is too small for them.</exception>
    public Session CreateSession(int contextLength = 0)
    {
        var length = AllowedLength(contextLength);
        return new Session(this, new SequenceState(_blocks), length);
    }

    /// <summary>Goes on with a session that <see cref="Session.Save"/> wrote. It can be forked and shortened as before.</summary>
    /// <param name="path">The file, which need not be trusted.</param>
    /// <param name="contextLength">As for <see cref="CreateSession"/>.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no saved session, damaged, longer than the context, or of another model, cache type or precision.</exception>
    /// <exception cref="ContextOverflowException">They are more than <see cref="LongestContext"/>, or memory is too small for them.</exception>
    public Session LoadSession(string path, int contextLength = 0, CancellationToken cancellation = default)
    {
        var length = AllowedLength(contextLength);
        return new Session(this, SessionFile.Read(path, Identity, file => SequenceState.Load(file, _blocks, length, Info.VocabularySize), cancellation), length);
    }

    /// <summary>Begins a session that goes from prompts to text.</summary>
    /// <param name="contextLength">As for <see cref="CreateSession"/>.</param>
    /// <exception cref="ContextOverflowException">They are more than <see cref="LongestContext"/>, or memory is too small for them.</exception>
    /// <exception cref="NotSupportedException">The model is an encoder.</exception>
    public Generator CreateGenerator(int contextLength = 0) => new(Tokenizer, CreateTextSession(contextLength));

    /// <summary>Begins a conversation in a session of its own.</summary>
    /// <param name="templateOptions">The clock and limits of the chat template.</param>
    /// <param name="contextLength">As for <see cref="CreateSession"/>.</param>
    /// <exception cref="ContextOverflowException">They are more than <see cref="LongestContext"/>, or memory is too small for them.</exception>
    /// <exception cref="NotSupportedException">The model is an encoder.</exception>
    public Chat CreateChat(TemplateOptions? templateOptions = null, int contextLength = 0) =>
        new(ChatTemplate, Tokenizer, CreateTextSession(contextLength), templateOptions);

    /// <summary>What a session of so many tokens, and the model under it, take while they run. Nothing is computed.</summary>
    /// <param name="tokens">Tokens of the session, not more than <see cref="LongestContext"/>.</param>
    /// <exception cref="ContextOverflowException">They are more.</exception>
    public MemoryPrediction PredictMemory(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        CheckAllowed(tokens);
        var step = Math.Min(tokens, _maximumStep);
        return new MemoryPrediction(
            tokens, _weights.Bytes, _blocks.Layout.BlockBytesFor(tokens), _blocks.Layout.StateBytesFor(tokens), _stepper.ActivationBytes(step),
            Graph.Attention.Select(shape => AttentionWorkspace.BytesFor(shape, Threads, tokens)).DefaultIfEmpty().Max() + ((long)sizeof(float) * step * _weights.LargestColumns),
            Environment.WorkingSet);
    }

    /// <summary>Takes the tokens of a batch in and computes the results that it asks for.</summary>
    /// <exception cref="ContextOverflowException">A run does not fit its session; nothing was taken in.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not in the vocabulary; nothing was taken in.</exception>
    /// <exception cref="NotSupportedException">The model is an encoder and a session has tokens already; nothing was taken in.</exception>
    public void Step(Batch batch)
    {
        batch.Prepare(Info.OutputWidth);
        Step(batch, Span<float>.Empty);
    }

    /// <summary>The same, taking the time of every op; slower by little.</summary>
    /// <param name="batch">What to do.</param>
    /// <param name="profile">Where the times go.</param>
    /// <inheritdoc cref="Step(Batch)" path="/exception"/>
    public void Step(Batch batch, StepProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        batch.Prepare(Info.OutputWidth);
        Step(batch, Span<float>.Empty, profile);
    }

    /// <summary>Ends the threads and closes the files.</summary>
    public void Dispose()
    {
        lock (_stepping)
        {
            if (_disposed)
                return;
            _disposed = true;
            _stepper.Dispose();
            _blocks.Dispose();
            _pool.Dispose();
            _weights.Dispose();
            _source.Dispose();
        }
    }

    /// <param name="batch">What to do.</param>
    /// <param name="results">[rows asked for, output width], or empty to leave them in the batch</param>
    /// <param name="profile">What takes the time of each op, or null</param>
    internal void Step(Batch batch, Span<float> results, StepProfile? profile = null)
    {
        foreach (ref readonly var entry in batch.Entries)
            Check(batch, entry);
        lock (_stepping)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _stepper.Run(batch, results, profile);
        }
    }

    private int AllowedLength(int contextLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(contextLength);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var asked = contextLength > 0 ? contextLength : _defaultContext;
        var fitting = LongestThatFits();
        CheckAllowed(asked);
        if (fitting < 1)
            throw new ContextOverflowException($"{Info.Name} takes {Info.FileBytes >> 20} MiB, and this process may use {Computer.MemoryBytes >> 20}: no room is left for a context. Take a smaller model, or give the process more memory.");
        if (asked > fitting)
            throw new ContextOverflowException($"A context of {asked} tokens takes {_blocks.Layout.BytesFor(asked) >> 20} MiB of cache; beside the model there is room for {fitting} tokens. Ask for no more.");
        return asked > 0 ? asked : Math.Min(Info.ContextLength, fitting);
    }

    private void CheckAllowed(int tokens)
    {
        if (tokens > LongestContext)
            throw new ContextOverflowException($"A context of {tokens} tokens was asked for; {Info.Name} was made for {Info.ContextLength}{MadeFor()}");
    }

    private string MadeFor() => HasPositionTable
        ? ", the rows of its table of positions. There can be no more."
        : $"{(LongestContext > Info.ContextLength ? $", and {LongestContext} are allowed" : "")}. Ask for no more, or allow it by --ctx (ModelOptions.ContextLength).";

    private Session CreateTextSession(int contextLength) => Info.GivesLogits
        ? CreateSession(contextLength)
        : throw new NotSupportedException($"{Info.Name} is {(Graph.SeesAhead ? "an encoder" : "an embedding model")} ({Info.Architecture}): it gives vectors, not text.");

    private void Check(Batch batch, in Batch.Entry entry)
    {
        if (entry.Session.Model != this)
            throw new ArgumentException("A session of another model is in the batch.", nameof(batch));
        if (entry.Count > entry.Session.ContextLength - entry.Session.Length)
            throw new ContextOverflowException($"{entry.Session.Length} tokens and {entry.Count} more don't fit a context of {entry.Session.ContextLength}.");
        if (Graph.SeesAhead && entry.Session.Length > 0)
            throw new NotSupportedException($"{Info.Name} is an encoder ({Info.Architecture}), which takes a text at once: {entry.Count} tokens can't follow {entry.Session.Length}.");
        if (Graph.SeesAhead && entry.Count > _maximumStep)
            throw new ContextOverflowException($"A text of {entry.Count} tokens is too long for {Info.Name}, which takes a text at once, of at most {Math.Min(_maximumStep, entry.Session.ContextLength)} tokens.");
        foreach (var token in batch.Tokens(entry))
        {
            if ((uint)token >= (uint)Info.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(batch), $"Token {token} is not in the vocabulary of {Info.VocabularySize}.");
        }
    }

    private int LongestThatFits() =>
        _blocks.Layout.LongestWithin(Computer.MemoryBytes - Info.FileBytes - _blocks.BytesInUse);
}
