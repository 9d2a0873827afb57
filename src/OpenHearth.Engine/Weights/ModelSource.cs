using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Weights;

/// <summary>An open model on disk, in whatever form: what it says of itself and its tensors.</summary>
internal abstract class ModelSource : IDisposable
{
    /// <summary>The keys by which <c>config.json</c> says for how many tokens the model was made.</summary>
    public const string ContextLengthKeys = "max_position_embeddings|n_positions|n_ctx|max_seq_len|seq_length|context_length|model_max_length";
    private const string LayerKeys = "num_hidden_layers|n_layer|n_layers";

    /// <summary>The path given.</summary>
    public abstract string Path { get; }

    /// <summary>True for GGUF, false for the Hugging Face form; names, and the order of some rows, depend on it.</summary>
    public abstract bool IsGguf { get; }

    /// <summary>Names of the architecture, the most telling first.</summary>
    public abstract IReadOnlyList<string> ArchitectureNames { get; }

    /// <summary>What the model says of itself.</summary>
    public abstract HyperParameters Parameters { get; }

    /// <summary>Bytes on disk.</summary>
    public abstract long FileBytes { get; }

    /// <summary>Names of all tensors, as stored.</summary>
    public abstract IEnumerable<string> TensorNames { get; }

    /// <summary>A tensor by the name it is stored under, or null.</summary>
    public abstract StoredTensor? Find(string name);

    /// <summary>True where there is a tensor of which a canonical one can be had.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="canonical">Canonical name of what is wanted, with its ending.</param>
    public virtual bool Has(string name, string canonical) => Find(name) is not null;

    /// <summary>What would be made of a tensor, where the source has that already.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="canonical">Canonical name of what is made of it, with its ending.</param>
    public virtual StoredTensor? FindMade(string name, string canonical) => null;

    /// <summary>A tensor with its numbers for one use, by the name it is stored under; the caller disposes of its owner.</summary>
    public virtual StoredTensor? Read(string name) => Find(name);

    /// <summary>The files that it is in.</summary>
    public abstract IEnumerable<string> Files { get; }

    /// <summary>Reads the model's tokenizer.</summary>
    /// <exception cref="Files.ModelFormatException">There is none, or it can't be read.</exception>
    public abstract Tokenizer ReadTokenizer();

    /// <summary>The model's chat template, or null.</summary>
    public abstract string? ReadChatTemplate();

    /// <summary>How an encoder's rows become one vector, where the model says it in a way that is known.</summary>
    /// <exception cref="Files.ModelFormatException">What it says is damaged.</exception>
    public abstract Pooling? FindPooling();

    /// <summary>All that the files say, for people: keys and values, long values shortened.</summary>
    public abstract IEnumerable<KeyValuePair<string, string>> Metadata { get; }

    /// <summary>Opens a GGUF file, a safetensors file, index or folder, or a file of rwkv.cpp.</summary>
    /// <param name="path">What to open.</param>
    /// <param name="exact">True to decode quantized matrices of safetensors without rounding.</param>
    /// <param name="surveys">True where such matrices are wanted one by one (<see cref="Read"/>): found otherwise, they are empty of numbers.</param>
    /// <exception cref="Files.ModelFormatException">It is neither, or damaged.</exception>
    public static ModelSource Open(string path, bool exact = false, bool surveys = false) =>
        Directory.Exists(path) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? new SafetensorsSource(path, exact, surveys)
            : RwkvCppSource.Recognises(path) ? new RwkvCppSource(path) : new GgufSource(path);

    /// <summary>What there is to know of the model.</summary>
    /// <param name="architecture">GGUF name of the architecture.</param>
    /// <param name="graph">Its forward pass.</param>
    public ModelInfo Describe(string architecture, ModelGraph graph)
    {
        var types = CountTensorTypes();
        return new ModelInfo
        {
            Name = DisplayName,
            Path = Path,
            Architecture = architecture,
            Parameters = types.Sum(type => type.Parameters),
            ContextLength = Math.Min(Math.Max(Parameters.Int("context_length", ContextLengthKeys, FallbackContextLength(graph), 1), DynamicLength(graph)), LearnedPositions(graph)),
            VocabularySize = graph.Nodes.OfType<EmbeddingOp>().First().Table.Matrix.Rows,
            OutputWidth = graph.Output.Width,
            GivesLogits = graph.Kind == OutputKind.Logits,
            Pooling = FindPooling(),
            Layers = Parameters.Int("block_count", LayerKeys),
            FileBytes = FileBytes,
            License = License,
            TensorTypes = types,
        };
    }

    /// <summary>The name that the model gives itself, otherwise that of its file or folder.</summary>
    public string DisplayName => Parameters.FindText("general.name", "_name_or_path") is { Length: > 0 } name
        ? name
        : System.IO.Path.GetFileNameWithoutExtension(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <summary>The licence that the model names.</summary>
    public string? License => Parameters.FindText("general.license", "license");

    /// <summary>Tokens of context that the model was made for, where it says so.</summary>
    public int? FindContextLength() => Parameters.FindInt("context_length", ContextLengthKeys);

    /// <summary>Number of layers, where the model says so.</summary>
    public int? FindLayers() => Parameters.FindInt("block_count", LayerKeys);

    /// <summary>How much of the model is stored in which type, most weights first.</summary>
    public virtual IReadOnlyList<TensorTypeCount> CountTensorTypes() => CountTypes(TensorNames.Select(name => Find(name)!));

    /// <summary>How much of some tensors is stored in which type, most weights first.</summary>
    protected static IReadOnlyList<TensorTypeCount> CountTypes(IEnumerable<StoredTensor> tensors) =>
        [.. tensors.GroupBy(tensor => tensor.Type)
            .Select(group => new TensorTypeCount(group.Key.ToString(), group.Count(), group.Sum(Count)))
            .OrderByDescending(count => count.Parameters)];

    // BLOOM's config doesn't say; its texts in training had so many tokens.
    private static int? FallbackContextLength(ModelGraph graph) =>
        graph.Attention.Count == 0 ? 1 << 20 : graph.Nodes.OfType<AttentionOp>().Any(node => node.Slopes.Length > 0) ? 2048 : null;

    // Configs with a base that grows name the length up to which it doesn't.
    private static int DynamicLength(ModelGraph graph) => graph.Nodes.OfType<RopeAnglesOp>()
        .Select(node => node.Dynamic is { } rope ? (int)Math.Min(rope.Factor * rope.OriginalLength, HyperParameters.Largest) : 0).DefaultIfEmpty().Max();

    // RoBERTa's config counts two positions more than a text can have.
    private static int LearnedPositions(ModelGraph graph) =>
        graph.Nodes.OfType<PositionEmbeddingOp>().Select(node => node.Table.Matrix.Rows).Append(int.MaxValue).Min();

    private static long Count(StoredTensor tensor) => checked(tensor.RowCount * tensor.Columns);

    /// <summary>Closes the files.</summary>
    public abstract void Dispose();
}
