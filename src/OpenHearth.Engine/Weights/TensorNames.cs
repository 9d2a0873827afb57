using System.Text.RegularExpressions;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// How the tensors of a model are called outside. Canonical names are those of GGUF files, so only the names of Hugging Face
/// need a table: canonical and foreign name of a module, without <c>.weight</c> and <c>.bias</c>, <c>*</c> for the layer, <c>#</c> for the expert.
/// A canonical name with its ending stands beside the whole foreign name, for tensors whose ending is another or none.
/// </summary>
/// <param name="prefix">What models whose classes wrap others put before all names, or leave away.</param>
internal sealed partial class TensorNames(string prefix = "model.")
{
    // The second two are those of models that see or hear, in the styles of transformers 5 and 4.
    private readonly string[] _prefixes = [.. new[] { prefix, "", $"{prefix}language_model.", $"language_model.{prefix}", "language_model." }.Distinct()];
    private readonly Dictionary<string, List<Rule>> _rules = [];
    private readonly HashSet<string> _ignored = [];

    /// <summary>The names that Llama has and most models follow.</summary>
    public static TensorNames Llama() => new TensorNames()
        .Add("token_embd", "embed_tokens")
        .Add("output_norm", "norm")
        .Add("output", "lm_head")
        .Add("blk.*.attn_norm", "layers.*.input_layernorm")
        .Add("blk.*.attn_q", "layers.*.self_attn.q_proj")
        .Add("blk.*.attn_k", "layers.*.self_attn.k_proj")
        .Add("blk.*.attn_v", "layers.*.self_attn.v_proj")
        .Add("blk.*.attn_output", "layers.*.self_attn.o_proj")
        .Add("blk.*.attn_q_norm", "layers.*.self_attn.q_norm")
        .Add("blk.*.attn_k_norm", "layers.*.self_attn.k_norm")
        .Add("blk.*.ffn_norm", "layers.*.post_attention_layernorm")
        .Add("blk.*.ffn_gate", "layers.*.mlp.gate_proj")
        .Add("blk.*.ffn_up", "layers.*.mlp.up_proj")
        .Add("blk.*.ffn_down", "layers.*.mlp.down_proj")
        .Add("blk.*.ffn_gate_inp", "layers.*.mlp.gate")
        .Add("blk.*.ffn_gate_exps", "layers.*.mlp.experts.#.gate_proj")
        .Add("blk.*.ffn_up_exps", "layers.*.mlp.experts.#.up_proj")
        .Add("blk.*.ffn_down_exps", "layers.*.mlp.experts.#.down_proj")
        .Add("blk.*.ffn_gate_shexp", "layers.*.mlp.shared_experts.gate_proj")
        .Add("blk.*.ffn_up_shexp", "layers.*.mlp.shared_experts.up_proj")
        .Add("blk.*.ffn_down_shexp", "layers.*.mlp.shared_experts.down_proj")
        .Add("blk.*.exp_probs_b.bias", "layers.*.mlp.gate.e_score_correction_bias");

    /// <summary>Adds a name; of several for one canonical name, the first that the file has counts.</summary>
    /// <param name="canonical">As in a GGUF file; with its ending where the foreign name has another or none</param>
    /// <param name="foreign">As in the Hugging Face form.</param>
    /// <param name="transform">Makes the canonical tensor of the foreign one where they differ.</param>
    /// <param name="back">Makes the foreign tensor of the canonical one again, where that can be done.</param>
    public TensorNames Add(string canonical, string foreign, Func<StoredTensor, StoredTensor>? transform = null, Func<StoredTensor, StoredTensor>? back = null) =>
        Add(canonical, new Rule(foreign, [], transform is null ? null : tensors => transform(tensors[0]), back));

    /// <summary>Adds a name for what the Hugging Face form keeps in two tensors, such as codes and scales.</summary>
    /// <param name="canonical">As in a GGUF file.</param>
    /// <param name="foreign">The first tensor.</param>
    /// <param name="beside">The second, which must be there where the first one is.</param>
    /// <param name="join">Makes the canonical tensor of both.</param>
    public TensorNames Add(string canonical, string foreign, string beside, Func<StoredTensor, StoredTensor, StoredTensor> join) =>
        Add(canonical, new Rule(foreign, [beside], tensors => join(tensors[0], tensors[1]), null));

    /// <summary>Adds names for what the Hugging Face form keeps in several tensors that can be made again.</summary>
    /// <param name="canonical">As in a GGUF file.</param>
    /// <param name="foreign">All of them; where the first one is, all must be there.</param>
    /// <param name="join">Makes the canonical tensor of them.</param>
    /// <param name="part">Makes one of them again, counted from 0, of the canonical tensor.</param>
    /// <param name="keepsTypes">True where they have the types in which they are made, whatever matrices become.</param>
    public TensorNames Add(string canonical, string[] foreign, Func<StoredTensor[], StoredTensor> join, Func<StoredTensor, int, StoredTensor> part, bool keepsTypes = false) =>
        Add(canonical, new Rule(foreign[0], foreign[1..], join, null) { Part = part, KeepsTypes = keepsTypes });

    /// <summary>Adds a name for what the Hugging Face form keeps in one tensor and GGUF files in several.</summary>
    /// <param name="foreign">As in the Hugging Face form, with its ending.</param>
    /// <param name="join">Makes a slice of it of the same slice of each; see <see cref="TensorJoin"/>.</param>
    /// <param name="parts">As in a GGUF file, with their endings, and what makes each of the foreign tensor.</param>
    public TensorNames Join(string foreign, Func<StoredTensor[], StoredTensor> join, params (string Canonical, Func<StoredTensor, StoredTensor> Split)[] parts) =>
        Join(foreign, new TensorJoin([.. parts.Select(part => part.Canonical)], join), parts);

    /// <summary>Adds a name for a matrix that the Hugging Face form keeps in one and GGUF files in several.</summary>
    /// <param name="foreign">As in the Hugging Face form, with its ending.</param>
    /// <param name="join">Makes it of the whole matrices.</param>
    /// <param name="parts">As in a GGUF file, with their endings, and what makes each of the foreign tensor.</param>
    public TensorNames JoinMatrices(string foreign, Func<StoredTensor[], StoredTensor> join, params (string Canonical, Func<StoredTensor, StoredTensor> Split)[] parts) =>
        Join(foreign, new TensorJoin([.. parts.Select(part => part.Canonical)], join) { AreStacks = false }, parts);

    private TensorNames Join(string foreign, TensorJoin together, (string Canonical, Func<StoredTensor, StoredTensor> Split)[] parts)
    {
        foreach (var (canonical, split) in parts)
            Add(canonical, new Rule(foreign, [], tensors => split(tensors[0]), null) { Join = together });
        return this;
    }

    /// <summary>Gives a canonical name another foreign name instead of those it had: families reuse Llama's words for other things.</summary>
    public TensorNames Replace(string canonical, string foreign, Func<StoredTensor, StoredTensor>? transform = null, Func<StoredTensor, StoredTensor>? back = null)
    {
        _rules.Remove(canonical);
        return Add(canonical, foreign, transform, back);
    }

    /// <summary>Takes away the foreign names that canonical ones had.</summary>
    public TensorNames Without(params ReadOnlySpan<string> canonical)
    {
        foreach (var name in canonical)
            _rules.Remove(name);
        return this;
    }

    /// <summary>Names a tensor that the model may bring and its results don't need.</summary>
    /// <param name="foreign">As in the Hugging Face form, with its ending.</param>
    public TensorNames Ignore(string foreign)
    {
        _ignored.UnionWith(_prefixes.Select(before => before + foreign));
        return this;
    }

    /// <summary>True where the results don't need a tensor.</summary>
    /// <param name="foreign">The whole name.</param>
    public bool Ignores(string foreign) => _ignored.Contains(foreign);

    /// <summary>
    /// What a GGUF file calls a tensor: its canonical name, or that of one expert's matrix, <c>blk.0.ffn_up.3.weight</c> of <c>blk.0.ffn_up_exps.weight</c>.
    /// Files from before April 2024 have those (llama.cpp's pull request 6387): of the families here, Mixtral.
    /// </summary>
    /// <param name="canonical">With its ending.</param>
    /// <param name="expert">-1 for the tensor itself.</param>
    public static string Gguf(string canonical, int expert) => expert < 0 ? canonical : canonical.Replace("_exps.", $".{expert}.", StringComparison.Ordinal);

    /// <summary>Canonical name of the stack that one expert's matrix of such a file belongs to; null where it is none.</summary>
    /// <param name="gguf">The name in the file.</param>
    public static string? Stack(string gguf) => OneExpert().Match(gguf) is { Success: true, Groups: var parts } ? $"{parts[1].ValueSpan}_exps.weight" : null;

    /// <summary>The foreign names that a full canonical name such as <c>blk.3.attn_q.weight</c> may have.</summary>
    /// <param name="canonical">With its ending.</param>
    /// <param name="expert">Stands for <c>#</c> in names of experts that are stored one by one; -1 leaves those names out.</param>
    public IEnumerable<ForeignTensor> Resolve(string canonical, int expert = -1)
    {
        var dot = canonical.LastIndexOf('.');
        var (module, suffix) = dot > 0 && canonical[dot..] is ".weight" or ".bias" ? (canonical[..dot], canonical[dot..]) : (canonical, "");
        var layer = Layer().Match(module);
        var pattern = layer.Success ? $"blk.*.{module[layer.Length..]}" : module;
        string Name(string foreign, string ending) => foreign.Replace("*", layer.Groups[1].Value, StringComparison.Ordinal).Replace("#", $"{expert}", StringComparison.Ordinal) + ending;
        foreach (var (key, ending) in suffix.Length > 0 ? [(pattern + suffix, ""), (pattern, suffix)] : new[] { (pattern, "") })
        {
            foreach (var rule in _rules.GetValueOrDefault(key, []).Where(rule => rule.Foreign.Contains('#', StringComparison.Ordinal) == expert >= 0))
            {
                foreach (var start in _prefixes)
                {
                    yield return new ForeignTensor(start + Name(rule.Foreign, ending), Array.ConvertAll(rule.Beside, beside => start + Name(beside, ending)), rule.Transform, rule.Back)
                    {
                        Part = rule.Part,
                        KeepsTypes = rule.KeepsTypes,
                        Join = rule.Join is { } join ? join with { Parts = [.. join.Parts.Select(part => Name(part, ""))] } : null,
                    };
                }
            }
        }
    }

    private TensorNames Add(string canonical, Rule rule)
    {
        if (!_rules.TryGetValue(canonical, out var rules))
            _rules.Add(canonical, rules = []);
        rules.Add(rule);
        return this;
    }

    [GeneratedRegex(@"^blk\.(\d+)\.")]
    private static partial Regex Layer();

    [GeneratedRegex(@"^(blk\.[0-9]+\.ffn_(?:gate|up|down))\.[0-9]+\.weight\z")]
    private static partial Regex OneExpert();

    private sealed record Rule(string Foreign, string[] Beside, Func<StoredTensor[], StoredTensor>? Transform, Func<StoredTensor, StoredTensor>? Back)
    {
        public Func<StoredTensor, int, StoredTensor>? Part { get; init; }

        public bool KeepsTypes { get; init; }

        public TensorJoin? Join { get; init; }
    }
}

/// <summary>A tensor that may stand for a canonical one.</summary>
/// <param name="Name">As in the Hugging Face form.</param>
/// <param name="Beside">Others that belong to it.</param>
/// <param name="Transform">Makes the canonical tensor of all, or null where it is the same.</param>
/// <param name="Back">Makes the first of the canonical tensor again, or null where that can't be done or is the same.</param>
internal readonly record struct ForeignTensor(string Name, string[] Beside, Func<StoredTensor[], StoredTensor>? Transform, Func<StoredTensor, StoredTensor>? Back)
{
    /// <summary>Makes each, counted from 0, of the canonical tensor again; null where that can't be done or it is the only one.</summary>
    public Func<StoredTensor, int, StoredTensor>? Part { get; init; }

    /// <summary>True where what <see cref="Part"/> makes has the type that it must have.</summary>
    public bool KeepsTypes { get; init; }

    /// <summary>Makes it of several canonical tensors again; null where it is only one.</summary>
    public TensorJoin? Join { get; init; }

    /// <summary>True where it can be made of canonical tensors.</summary>
    public bool CanBeMade => Part is not null || (Beside.Length == 0 && (Transform is null || Back is not null || Join is not null));
}
