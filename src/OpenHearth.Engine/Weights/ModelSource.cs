using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Weights;

/// <summary>An open model on disk, in whatever form: what it says of itself and its tensors.</summary>
internal abstract class ModelSource : IDisposable
{
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

    /// <summary>Reads the model's tokenizer.</summary>
    /// <exception cref="Files.ModelFormatException">There is none, or it can't be read.</exception>
    public abstract Tokenizer ReadTokenizer();

    /// <summary>The model's chat template, or null.</summary>
    public abstract string? ReadChatTemplate();

    /// <summary>Opens a GGUF file, or a safetensors file, index or folder.</summary>
    /// <exception cref="Files.ModelFormatException">It is neither, or damaged.</exception>
    public static ModelSource Open(string path) =>
        Directory.Exists(path) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            ? new SafetensorsSource(path)
            : new GgufSource(path);

    /// <summary>What there is to know of the model.</summary>
    /// <param name="architecture">GGUF name of the architecture.</param>
    /// <param name="graph">Its forward pass.</param>
    public ModelInfo Describe(string architecture, ModelGraph graph)
    {
        var tensors = TensorNames.Select(name => Find(name)!).ToList();
        var types = tensors.GroupBy(tensor => tensor.Type)
            .Select(group => new TensorTypeCount(group.Key.ToString(), group.Count(), group.Sum(Count)))
            .OrderByDescending(count => count.Parameters).ToList();
        return new ModelInfo
        {
            Name = Parameters.FindText("general.name", "_name_or_path") is { Length: > 0 } name ? name : System.IO.Path.GetFileNameWithoutExtension(System.IO.Path.TrimEndingDirectorySeparator(Path)),
            Path = Path,
            Architecture = architecture,
            Parameters = tensors.Sum(Count),
            ContextLength = Parameters.Int("context_length", "max_position_embeddings|n_positions|n_ctx|max_seq_len"),
            VocabularySize = graph.Nodes.OfType<EmbeddingOp>().First().Table.Matrix.Rows,
            OutputWidth = graph.Output.Width,
            GivesLogits = graph.Kind == OutputKind.Logits,
            Layers = Parameters.Int("block_count", "num_hidden_layers|n_layer|n_layers"),
            FileBytes = FileBytes,
            License = Parameters.FindText("general.license", "license"),
            TensorTypes = types,
        };
    }

    private static long Count(StoredTensor tensor) => checked(tensor.RowCount * tensor.Columns);

    /// <summary>Closes the files.</summary>
    public abstract void Dispose();
}
