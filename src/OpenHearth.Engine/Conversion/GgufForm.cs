using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Conversion;

/// <summary>
/// What a model of the Hugging Face form is as a GGUF file. Its metadata is what the architecture asked for while it declared the
/// forward pass, its tensors those that the pass needs. The same architecture then declares the pass from that metadata, and
/// both must be one: what a GGUF file can't say is found before anything is written. Owns what it has made of small tensors, not the source.
/// </summary>
internal sealed class GgufForm : IDisposable
{
    /// <summary>Families of which tests have shown that files written here give what the original gives, by GGUF name.</summary>
    /// <remarks>
    /// llama.cpp gives the same of all but two, of which it computes another thing: of phimoe RMS norms for layer norms and a softmax over two experts for
    /// the sparse mixer; of bitnet-b1.58, which is the name of Microsoft's own engine, the older bitnet with SiLU. With these put in place here, files
    /// written here give its logits.
    /// </remarks>
    public static readonly IReadOnlySet<string> Proven = new HashSet<string>
    {
        "bert", "bitnet-b1.58", "bloom", "cohere2", "deepseek", "deepseek2", "falcon", "gemma", "gemma2", "gemma3", "gemma4", "glm4moe", "gpt-oss", "gpt2", "gptneox",
        "granite", "granitehybrid", "granitemoe", "kimi-linear", "lfm2", "llama", "llama4", "mamba2", "minimax-m2", "mistral3", "modern-bert", "mpt", "nomic-bert", "nomic-bert-moe", "olmo",
        "olmo2", "olmoe", "phi2", "phi3", "phimoe", "qwen2", "qwen2moe", "qwen3", "qwen35", "qwen35moe", "qwen3moe", "qwen3next", "rwkv7", "smollm3", "stablelm", "starcoder2",
    };

    private const string GateAndUp = "ffn_gate_up_exps";
    private static readonly string[] Halves = ["ffn_gate_exps", "ffn_up_exps"];

    private readonly ModelSource _source;
    private readonly ModelWeights _weights;
    private readonly List<NativeBuffer<float>> _noted = [];
    private readonly List<FormTensor> _tensors = [];
    private readonly Dictionary<string, RowOrder> _orders = [];

    private GgufForm(ModelSource source, ModelWeights weights) => (_source, _weights) = (source, weights);

    /// <summary>Keys and values of the file, but for those that say how its tensors are stored.</summary>
    public OrderedDictionary<string, object> Metadata { get; } = [];

    /// <summary>The tensors in the order of the file.</summary>
    public IReadOnlyList<FormTensor> Tensors => _tensors;

    /// <summary>Finds out what a model is as a GGUF file.</summary>
    /// <exception cref="ModelFormatException">It is damaged, or of an architecture that is not known.</exception>
    /// <exception cref="NotSupportedException">GGUF files can't say what it is, or nobody has proven that they can.</exception>
    public static GgufForm Of(ModelSource source)
    {
        var (name, architecture) = ArchitectureRegistry.Get(source);
        if (architecture.WhyNoGguf is { } why)
            throw new NotSupportedException($"{source.Path}: {name} models can't be GGUF files: {why}.");
        if (!Proven.Contains(name))
            throw new NotSupportedException($"{source.Path}: converting {name} models to GGUF is not proven yet; proven are {string.Join(", ", Proven.Order(StringComparer.Ordinal))}.");
        var parameters = new NotedParameters(source.Parameters);
        var weights = new ModelWeights(source, architecture.GgufNames(parameters), surveys: true);
        var form = new GgufForm(source, weights);
        try
        {
            var graph = architecture.Build(new GraphBuilder(weights), parameters);
            form.Describe(name, graph, parameters);
            form.AddTensors(parameters);
            form.Verify(name, architecture, graph);
            return form;
        }
        catch
        {
            form.Dispose();
            throw;
        }
    }

    /// <summary>Writes one tensor.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="type">How its numbers are to be stored.</param>
    /// <param name="stream">Where they go.</param>
    public void Write(FormTensor tensor, TensorType type, Stream stream)
    {
        if (tensor.HalfOf is not null)
        {
            WriteHalf(tensor, type, stream);
            return;
        }
        var order = _orders.GetValueOrDefault(tensor.Name);
        for (var expert = tensor.Experts == 0 ? -1 : 0; expert < tensor.Experts; expert++)
        {
            var stored = tensor.Made ?? _weights.Read(tensor.Name, expert);
            using (tensor.Made is null ? stored.Owner : null)
            {
                // Numbers of a bias go with the rows of their matrix.
                var columns = order is not null && stored.Shape.Length < 2 ? 1 : stored.Columns;
                RowConversion.Write(stored.Type, type, columns, stored.Data, stream, order is null ? null : order.Source);
            }
        }
    }

    private void WriteHalf(FormTensor tensor, TensorType type, Stream stream)
    {
        var stored = _weights.Read(tensor.HalfOf!, -1);
        using var made = stored.Owner;
        var (experts, rows) = (tensor.Shape[0], tensor.Shape[1]);
        for (var expert = 0L; expert < experts; expert++)
            RowConversion.Write(stored.Type, type, stored.Columns, stored.Rows((2 * expert + tensor.Half) * rows, rows).Data, stream, null);
    }

    /// <summary>Frees what it has made.</summary>
    public void Dispose()
    {
        _weights.Dispose();
        _noted.ForEach(buffer => buffer.Dispose());
    }

    private void Describe(string name, ModelGraph graph, NotedParameters parameters)
    {
        var info = _source.Describe(name, graph);
        Metadata["general.architecture"] = name;
        Metadata["general.type"] = "model";
        Metadata["general.name"] = info.Name;
        if (info.License is { } license)
            Metadata["general.license"] = license;
        Metadata[$"{name}.context_length"] = (uint)info.ContextLength;
        Metadata[$"{name}.vocab_size"] = (uint)info.VocabularySize;
        if (info.Pooling is { } pooling)
            Metadata[$"{name}.pooling_type"] = pooling switch { Pooling.Mean => 1u, Pooling.Cls => 2u, _ => 3u };
        foreach (var (key, value) in parameters.Keys)
            Metadata[key.StartsWith("general.", StringComparison.Ordinal) || key.StartsWith("tokenizer.", StringComparison.Ordinal) ? key : $"{name}.{key}"] = value;
        // Both are said, or neither.
        if (Metadata.TryGetValue($"{name}.attention.key_length", out var width))
            Metadata.TryAdd($"{name}.attention.value_length", width);
        TokenizerKeys.Add(Metadata, _source, info.VocabularySize);
    }

    private void AddTensors(NotedParameters parameters)
    {
        foreach (var (name, values) in parameters.Tensors)
        {
            var buffer = new NativeBuffer<float>(values.Length);
            _noted.Add(buffer);
            values.CopyTo(buffer.Span);
            _tensors.Add(new FormTensor(name, 0, TensorType.F32, [values.Length], new StoredTensor(name, TensorType.F32, [values.Length], MemoryRegion.Of(buffer))));
        }
        foreach (var (name, experts) in _weights.Asked)
        {
            var stored = _weights.Find(name, experts == 0 ? -1 : 0);
            if (name.Contains(GateAndUp, StringComparison.Ordinal) && stored.Shape is [var count, var rows, var columns])
            {
                // Not all of llama.cpp's families read both as one.
                for (var half = 0; half < 2; half++)
                    _tensors.Add(new FormTensor(name.Replace(GateAndUp, Halves[half], StringComparison.Ordinal), 0, stored.Type, [count, rows / 2, columns], null) { HalfOf = name, Half = half });
                continue;
            }
            _tensors.Add(new FormTensor(name, experts, stored.Type, experts == 0 ? stored.Shape : [experts, .. stored.Shape], null));
        }
    }

    private void Verify(string name, Architecture architecture, ModelGraph graph)
    {
        using var metadata = new MetadataInMemory(Metadata, _source.Path);
        var file = metadata.File;
        using var source = new FormSource(this, file, name);
        using var weights = new ModelWeights(source, architecture.Names(source.Parameters), surveys: true);
        var (difference, turns) = GraphDifference.Of(graph, architecture.Build(new GraphBuilder(weights), source.Parameters));
        if (difference is not null)
            throw new NotSupportedException($"{_source.Path}: a GGUF file of {name} can't say all that this model is ({difference}).");
        foreach (var (from, to) in turns)
        {
            var order = RowOrder.Of(from, to, out var matrix)
                ?? throw new NotSupportedException($"{_source.Path}: the rows of a {name} model that positions turn can't be put in the order of GGUF files.");
            foreach (var part in (string[])[$"{matrix}.weight", $"{matrix}.bias"])
                _orders[part] = order;
        }
        if (weights.Unused.FirstOrDefault() is { } unused)
            throw new NotSupportedException($"{_source.Path}: a GGUF file of {name} has no use for the tensor {ModelFormatException.Quote(unused)}.");
    }

    /// <summary>The model as if it were in a GGUF file already.</summary>
    private sealed class FormSource(GgufForm form, GgufFile file, string name) : PlannedSource(form._source)
    {
        // Experts that are one by one stay so here: nobody's memory has them as one.
        private readonly Dictionary<string, (FormTensor Tensor, int Expert)> _byName = form._tensors
            .SelectMany(tensor => tensor.Experts == 0 ? [(tensor, -1)] : Enumerable.Range(0, tensor.Experts).Select(expert => (tensor, expert)))
            .ToDictionary(entry => Weights.TensorNames.Gguf(entry.tensor.Name, entry.Item2));

        public override bool IsGguf => true;

        public override IReadOnlyList<string> ArchitectureNames => [name];

        public override HyperParameters Parameters { get; } = new GgufParameters(file.Metadata, form._source.Path, name);

        public override IEnumerable<string> TensorNames => _byName.Keys;

        public override StoredTensor? Find(string name)
        {
            if (!_byName.TryGetValue(name, out var found))
                return null;
            return found.Tensor.HalfOf is { } whole ? AsHalf(form._weights.Find(whole, -1), found.Tensor) : found.Tensor.Made ?? form._weights.Find(found.Tensor.Name, found.Expert);
        }

        // Whose numbers it has is nobody's concern here.
        private static StoredTensor AsHalf(StoredTensor whole, FormTensor half) =>
            whole with { Name = half.Name, Shape = half.Shape, Data = whole.Data.Slice(0, whole.Data.Length / 2), Owner = null };

        public override Tokenizer ReadTokenizer() => Tokenizer.FromGguf(file.Metadata);
    }
}

/// <summary>A tensor of a model in the GGUF form.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Experts">How many experts the model keeps one by one that become one tensor; 0 where it is one already.</param>
/// <param name="Type">How the model stores it.</param>
/// <param name="Shape">The length of a row last.</param>
/// <param name="Made">Its numbers, where the model says them in another way.</param>
internal sealed record FormTensor(string Name, int Experts, TensorType Type, long[] Shape, StoredTensor? Made)
{
    /// <summary>The tensor that has this and another one in halves for each expert; null where it has none.</summary>
    public string? HalfOf { get; init; }

    /// <summary>Which half, from 0.</summary>
    public int Half { get; init; }
}
