using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Ops;
using OpenHearth.Engine.Tokenization;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Conversion;

/// <summary>What a GGUF model is in the Hugging Face form: <see cref="GgufForm"/> the other way round, proven likewise. Does not own the source.</summary>
internal sealed class HuggingFaceForm : IDisposable
{
    /// <summary>Families of which tests have shown that folders written here give what the original gives, by GGUF name.</summary>
    public static readonly IReadOnlySet<string> Proven = new HashSet<string>
    {
        "bert", "bitnet-b1.58", "bloom", "cohere2", "deepseek", "deepseek2", "falcon", "gemma", "gemma2", "gemma3", "gemma4", "glm4moe", "gpt-oss", "gpt2", "gptneox", "granite", "granitehybrid",
        "granitemoe", "kimi-linear", "lfm2", "llama", "llama4", "mamba2", "minimax-m2", "mistral3", "modern-bert", "mpt", "nomic-bert", "nomic-bert-moe", "olmo", "olmo2", "olmoe", "phi2", "phi3", "phimoe", "qwen2", "qwen2moe", "qwen3",
        "qwen35", "qwen35moe", "qwen3moe", "qwen3next", "rwkv7", "smollm3",
        "stablelm", "starcoder2",
    };

    // Families of which GGUF has one name for several classes: by this key, a model is another than the first.
    private static readonly (string Name, string Key, string Type, string Class)[] Others =
    [
        ("llama", "expert_count", "mixtral", "MixtralForCausalLM"),
        ("llama", "attention.sliding_window", "mistral", "MistralForCausalLM"),
        ("granitemoe", "expert_shared_feed_forward_length", "granitemoeshared", "GraniteMoeSharedForCausalLM"),
        ("olmo2", "attention.sliding_window", "olmo3", "Olmo3ForCausalLM"),
    ];

    private const string FrequencyDivisors = "rope_freqs.weight";

    // Of Llama 3.1 and 3.3, 3.2, and 4 Scout: the file has the divisors, config.json declares what they are made of.
    private static readonly (int Factor, int High)[] Divisors = [(8, 4), (32, 4), (16, 1)];

    private readonly GgufSource _source;
    private readonly ModelWeights _weights;
    private readonly OrderedDictionary<string, FolderTensor> _tensors = [];
    private readonly Dictionary<string, RowOrder> _orders = [];
    private readonly Dictionary<(object Join, string Shapes), long[]> _shapes = []; // of joined tensors, which are alike in all layers

    private HuggingFaceForm(GgufSource source, TensorNames names) => (_source, _weights) = (source, new ModelWeights(source, names));

    /// <summary>What <c>config.json</c> says.</summary>
    public JsonObject Config { get; } = [];

    /// <summary>True where it gives no scores of a vocabulary.</summary>
    public bool IsEncoder { get; private set; }

    /// <summary>The tensors, by the names that they get.</summary>
    public IReadOnlyDictionary<string, FolderTensor> Tensors => _tensors;

    private HuggingFaceParameters FolderParameters => new(HuggingFaceConfig.Parse(JsonSerializer.SerializeToUtf8Bytes(Config), _source.Path));

    /// <summary>Finds out what a model is in the Hugging Face form.</summary>
    /// <exception cref="ModelFormatException">It is damaged, or of an architecture that is not known.</exception>
    /// <exception cref="NotSupportedException">It can't be said there, or nobody has proven that it can.</exception>
    public static HuggingFaceForm Of(GgufSource source)
    {
        var (name, architecture) = ArchitectureRegistry.Get(source);
        if (!Proven.Contains(name))
            throw new NotSupportedException($"{source.Path}: converting {name} models to safetensors is not proven yet; proven are {string.Join(", ", Proven.Order(StringComparer.Ordinal))}.");
        var parameters = new NotedParameters(source.Parameters);
        var form = new HuggingFaceForm(source, architecture.GgufNames(parameters));
        try
        {
            var graph = architecture.Build(new GraphBuilder(form._weights), parameters);
            form.IsEncoder = graph.Kind == OutputKind.Hidden;
            form.Describe(name, graph, parameters);
            form.AddTensors(architecture.GgufNames(form.FolderParameters), parameters.Tensors);
            form.Verify(name, architecture, graph);
            // Such as the head of a model that scores pairs of texts.
            if (form.IsEncoder && form._weights.Unused.FirstOrDefault() is { } lost)
                throw new NotSupportedException($"{source.Path}: the tensor {ModelFormatException.Quote(lost)} is no part of an encoder, and the folder would be without it.");
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
    public void Write(FolderTensor tensor, TensorType type, Stream stream)
    {
        if (tensor.Join is not null)
        {
            foreach (var slice in tensor.Join.Slices(Parts(tensor.Join)))
            {
                using (slice.Owner)
                    RowConversion.Write(slice.Type, type, slice.Columns, slice.Data, stream);
            }
            return;
        }
        var order = _orders.GetValueOrDefault(tensor.Canonical);
        var stored = Stored(tensor);
        using (tensor.Back is null ? null : stored.Owner)
        {
            if (tensor.KeepsType)
            {
                TensorSource.From(stored.Data)(stream);
                return;
            }
            var columns = order is not null && stored.Shape.Length < 2 ? 1 : stored.Columns;
            RowConversion.Write(stored.Type, type, columns, stored.Data, stream, order is null ? null : order.Source);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Surveyed?.Owner?.Dispose();
        _weights.Dispose();
    }

    private StoredTensor Stored(FolderTensor tensor)
    {
        var apart = tensor.Expert >= 0 && _weights.Asked[tensor.Canonical] > 0;
        var stored = _weights.Read(tensor.Canonical, apart ? tensor.Expert : -1);
        if (tensor.Expert >= 0 && !apart)
            stored = stored.Rows(tensor.Expert * tensor.Shape[0], tensor.Shape[0]);
        if (tensor.Back is null)
            return stored;
        // Blocks can't be taken apart.
        return TensorTypes.BlockSize(stored.Type) == 1 ? stored.Then(tensor.Back) : stored.Decode().Then(tensor.Back);
    }

    private StoredTensor[] Parts(TensorJoin join) => [.. join.Parts.Select(part => _weights.Read(part, -1))];

    private long[] ShapeOf(TensorJoin join)
    {
        var parts = Parts(join);
        var key = ((object)join.Make, string.Join(';', parts.Select(part => string.Join(',', part.Shape))));
        return _shapes.TryGetValue(key, out var shape) ? shape : _shapes[key] = join.Shape(parts);
    }

    private void Describe(string name, ModelGraph graph, NotedParameters parameters)
    {
        var (type, className) = ArchitectureRegistry.HuggingFaceNames(name);
        var other = Others.FirstOrDefault(other => other.Name == name && parameters.Keys.TryGetValue(other.Key, out var value) && value is not 0u);
        if (other.Type is not null)
            (type, className) = (other.Type, other.Class);
        var info = _source.Describe(name, graph);
        Config["architectures"] = new JsonArray(className);
        Config["model_type"] = type;
        Config["vocab_size"] = info.VocabularySize;
        Config["tie_word_embeddings"] = !_weights.Has("output.weight");
        // Biases go by several names there, and those of scores are absent unless they are named.
        Config[type == "stablelm" ? "use_qkv_bias" : "attention_bias"] = _weights.Has("blk.0.attn_q.bias") || _weights.Has("blk.0.attn_qkv.bias");
        if (_weights.Has("output.bias"))
            Config["lm_head_bias"] = true;
        foreach (var (key, value) in parameters.Config)
        {
            // There, zero is a window of nothing.
            if (key == "sliding_window" && value is 0u)
                continue;
            var target = Config;
            var parts = key.Split('.');
            foreach (var part in parts[..^1])
                target = (JsonObject)(target[part] ??= new JsonObject());
            target[parts[^1]] = JsonSerializer.SerializeToNode(value);
        }
        if (Config["rope_parameters"] is JsonObject whole && !whole.Any(entry => entry.Value is JsonObject)) // of a kind of layers each
            MoveRope(whole);
        if (!ModelSource.ContextLengthKeys.Split('|').Any(Config.ContainsKey))
            Config["max_position_embeddings"] = info.ContextLength;
        // The same for readers that know only the share.
        if (parameters.Config.TryGetValue("rotary_dim", out var some) && some is uint turning && parameters.Config.TryGetValue("head_dim", out var all) && all is uint width && turning != width)
            Config["partial_rotary_factor"] = (double)turning / width;
    }

    // Where a family says something in the section of transformers 5, readers look for all of it there.
    private void MoveRope(JsonObject whole)
    {
        var scaling = Config["rope_scaling"] as JsonObject ?? [];
        foreach (var (section, key) in scaling.Select(entry => (scaling, entry.Key)).Append((Config, "rope_theta")).ToList())
        {
            if (section.TryGetPropertyValue(key, out var value) && section.Remove(key))
                whole.TryAdd(key, value);
        }
        whole.TryAdd("rope_type", "default");
        Config.Remove("rope_scaling");
    }

    private void AddTensors(TensorNames names, IReadOnlyDictionary<string, float[]> said)
    {
        foreach (var (canonical, apart) in _weights.Asked)
        {
            // What config.json says instead.
            if (canonical == FrequencyDivisors || said.ContainsKey(canonical))
                continue;
            var stored = _weights.Find(canonical, apart == 0 ? -1 : 0);
            var experts = apart > 0 ? apart : !Candidates(names, canonical, -1).Any() && stored.Shape.Length == 3 ? (int)stored.Shape[0] : 0;
            for (var expert = experts == 0 ? -1 : 0; expert < experts; expert++)
            {
                var candidates = Candidates(names, canonical, expert).ToList();
                if (candidates.Count == 0)
                    throw new NotSupportedException($"{_source.Path}: the tensor {ModelFormatException.Quote(canonical)} can't be written in the Hugging Face form.");
                var chosen = Choose(canonical, candidates);
                if (names.Ignores(chosen.Name))
                    continue;
                var tensor = new FolderTensor(canonical, expert, expert < 0 || apart > 0 ? stored.Shape : stored.Shape[1..], chosen.Back);
                if (chosen.Join is { } join)
                    _ = _tensors.TryAdd(chosen.Name, tensor with { Shape = ShapeOf(join), Join = join });
                else if (chosen.Part is not { } part)
                    AddTensor(chosen.Name, tensor);
                else
                    foreach (var (index, name) in chosen.Beside.Prepend(chosen.Name).Index())
                        AddTensor(name, tensor with { Back = whole => part(whole, index), KeepsType = chosen.KeepsTypes });
            }
        }
    }

    private void AddTensor(string name, FolderTensor tensor)
    {
        if (tensor.Back is not null)
        {
            var made = _weights.Survey(Stored(tensor));
            tensor = tensor with { Shape = made.Shape, Surveyed = made };
        }
        _tensors.Add(name, tensor);
    }

    private static IEnumerable<ForeignTensor> Candidates(TensorNames names, string canonical, int expert) =>
        names.Resolve(canonical, expert).Where(candidate => candidate.CanBeMade);

    private ForeignTensor Choose(string canonical, List<ForeignTensor> candidates)
    {
        // Classes that wrap a model keep its head outside; none wraps an encoder.
        if (IsEncoder || canonical.StartsWith("output.", StringComparison.Ordinal))
            return candidates.MinBy(candidate => candidate.Name.Length);
        // Experts go by many names, of which a family's own is the last; the first begins as it should.
        if (!canonical.Contains("exp", StringComparison.Ordinal) && !canonical.Contains("ffn_gate_inp", StringComparison.Ordinal))
            return candidates[0];
        var before = Before(candidates[0]);
        return candidates.Last(candidate => Before(candidate) == before);

        static string Before(ForeignTensor tensor) => tensor.Name[..Math.Max(tensor.Name.IndexOf("layers.", StringComparison.Ordinal), 0)];
    }

    private void Verify(string name, Architecture architecture, ModelGraph graph)
    {
        using var source = new FolderSource(this);
        var (difference, turns, unused) = Compare(source, architecture, graph);
        foreach (var (factor, high) in Divisors)
        {
            if (difference is null || !_weights.Has(FrequencyDivisors))
                break;
            Config["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = factor,
                ["low_freq_factor"] = 1,
                ["high_freq_factor"] = high,
                ["original_max_position_embeddings"] = 8192,
            };
            (difference, turns, unused) = Compare(source, architecture, graph);
        }
        if (difference is not null)
            throw new NotSupportedException($"{_source.Path}: a config.json of {name} can't say all that this model is ({difference}).");
        if (unused is not null)
            throw new NotSupportedException($"{_source.Path}: a {name} model has no use for the tensor {ModelFormatException.Quote(unused)}.");
        foreach (var (from, to) in turns)
        {
            var order = RowOrder.Of(from, to, out var matrix)
                ?? throw new NotSupportedException($"{_source.Path}: the rows of a {name} model that positions turn can't be put in the order of safetensors.");
            foreach (var part in (string[])[$"{matrix}.weight", $"{matrix}.bias"])
                _orders[part] = order;
        }
    }

    private static (string? Difference, IReadOnlyList<(RopeOp From, RopeOp To)> Turns, string? Unused) Compare(FolderSource source, Architecture architecture, ModelGraph graph)
    {
        using var weights = new ModelWeights(source, architecture.GgufNames(source.Parameters), surveys: true);
        try
        {
            var (difference, turns) = GraphDifference.Of(graph, architecture.Build(new GraphBuilder(weights), source.Parameters));
            return (difference, turns, weights.Unused.FirstOrDefault());
        }
        catch (ModelFormatException impossible)
        {
            // The file is sound: it is the folder that would not be.
            return (impossible.Message, [], null);
        }
    }

    /// <summary>The model as if it were in a folder already.</summary>
    private sealed class FolderSource(HuggingFaceForm form) : PlannedSource(form._source)
    {
        public override bool IsGguf => false;

        public override IReadOnlyList<string> ArchitectureNames => [(string)form.Config["model_type"]!];

        public override HyperParameters Parameters => form.FolderParameters;

        public override IEnumerable<string> TensorNames => form._tensors.Keys;

        public override StoredTensor? Find(string name) => form._tensors.TryGetValue(name, out var tensor) ? (tensor.Surveyed ?? form.Stored(tensor)) with { Name = name } : null;

        // Joined and packed tensors are not made here: what comes apart again are the file's.
        public override bool Has(string name, string canonical) =>
            form._tensors.TryGetValue(name, out var tensor) && (tensor.Join?.Parts.Contains(canonical) ?? tensor.Canonical == canonical);

        public override StoredTensor? FindMade(string name, string canonical) => form._tensors[name] is { Join: null, KeepsType: false } ? null : form._weights.Read(canonical, -1);

        public override Tokenizer ReadTokenizer() => form._source.ReadTokenizer();
    }
}

/// <summary>A tensor of a model in the Hugging Face form.</summary>
/// <param name="Canonical">What the GGUF file calls it.</param>
/// <param name="Expert">The expert of the file's stack that it is; -1 where it is no part of one.</param>
/// <param name="Shape">The length of a row last.</param>
/// <param name="Back">Makes it of the file's tensor where they differ.</param>
internal sealed record FolderTensor(string Canonical, int Expert, long[] Shape, Func<StoredTensor, StoredTensor>? Back)
{
    /// <summary>What <see cref="Back"/> makes, without its numbers where it is large.</summary>
    public StoredTensor? Surveyed { get; init; }

    /// <summary>True where it is as <see cref="Back"/> makes it, whatever matrices become.</summary>
    public bool KeepsType { get; init; }

    /// <summary>Makes it of several of the file's tensors, of which <see cref="Canonical"/> is one; null where it is only one.</summary>
    public TensorJoin? Join { get; init; }
}
