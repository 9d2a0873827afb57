using OpenHearth.Engine.Files;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Architectures;

/// <summary>Every architecture by the names that model files use. A new one is one file and one line here.</summary>
internal static class ArchitectureRegistry
{
    private static readonly Entry[] Entries =
    [
        new("llama", new Llama(), "llama", "mistral", "mixtral", "LlamaForCausalLM", "MistralForCausalLM", "MixtralForCausalLM"),
        new("mistral3", new Llama(), "ministral3", "mistral3", "Ministral3ForCausalLM", "Mistral3ForConditionalGeneration"),
        new("llama4", new Llama4(), "llama4", "llama4_text", "Llama4ForCausalLM", "Llama4ForConditionalGeneration"),
        new("gemma", new Gemma(), "gemma", "GemmaForCausalLM"),
        new("gemma2", new Gemma2(), "gemma2", "Gemma2ForCausalLM"),
        new("gemma3", new Gemma2(), "gemma3", "gemma3_text", "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"),
        new("gemma4", new Gemma4(), "gemma4", "gemma4_text", "Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"),
        new("gpt2", new Gpt2(), "gpt2", "GPT2LMHeadModel"),
        new("deepseek", new DeepSeekMoe(), "deepseek", "DeepseekForCausalLM"),
        new("deepseek2", new DeepSeek(), "deepseek_v2", "deepseek_v3", "kimi_k2", "glm4_moe_lite", "DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM", "Glm4MoeLiteForCausalLM"),
        new("gpt-oss", new GptOss(), "gpt_oss", "GptOssForCausalLM"),
        new("falcon", new Falcon(), "falcon", "FalconForCausalLM"),
        new("bloom", new Bloom(), "bloom", "BloomForCausalLM"),
        new("gptneox", new GptNeoX(), "gpt_neox", "GPTNeoXForCausalLM"),
        new("mpt", new Mpt(), "mpt", "MPTForCausalLM", "MptForCausalLM"),
        new("starcoder2", new StarCoder2(), "starcoder2", "Starcoder2ForCausalLM"),
        new("stablelm", new StableLm(), "stablelm", "StableLmForCausalLM"),
        new("bitnet-b1.58", new BitNet(), "bitnet", "BitNetForCausalLM"),
        new("bert", new Bert(), "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "BertModel", "RobertaModel", "XLMRobertaModel", "DistilBertModel"),
        new("nomic-bert-moe", new NomicBert(), "nomic_bert", "NomicBertModel") { Key = NomicBert.Mixture },
        new("nomic-bert", new NomicBert(), "nomic_bert", "NomicBertModel"),
        new("modern-bert", new ModernBert(), "modernbert", "ModernBertModel"),
        new("cohere2", new Cohere2(), "cohere2", "Cohere2ForCausalLM"),
        new("glm4moe", new Glm4Moe(), "glm4_moe", "Glm4MoeForCausalLM"),
        new("granite", new Granite(), "granite", "GraniteForCausalLM"),
        new("granitemoe", new Granite(), "granitemoe", "granitemoeshared", "GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"),
        new("minimax-m2", new MiniMaxM2(), "minimax_m2", "MiniMaxM2ForCausalLM"),
        new("olmo", new Olmo(), "olmo", "OlmoForCausalLM"),
        new("olmo2", new Olmo2(), "olmo2", "olmo3", "Olmo2ForCausalLM", "Olmo3ForCausalLM"),
        new("olmoe", new Olmoe(), "olmoe", "OlmoeForCausalLM"),
        new("phi2", new Phi2(), "phi", "PhiForCausalLM"),
        new("phi3", new Phi3(), "phi3", "Phi3ForCausalLM"),
        new("phimoe", new PhiMoe(), "phimoe", "PhiMoEForCausalLM", "PhimoeForCausalLM"),
        new("qwen2", new Qwen2(), "qwen2", "Qwen2ForCausalLM"),
        new("qwen2moe", new Qwen2(), "qwen2_moe", "Qwen2MoeForCausalLM"),
        new("qwen3", new Qwen3(), "qwen3", "Qwen3ForCausalLM"),
        new("qwen3moe", new Qwen3(), "qwen3_moe", "Qwen3MoeForCausalLM"),
        new("granitehybrid", new GraniteHybrid(), "granitemoehybrid", "GraniteMoeHybridForCausalLM"),
        new("kimi-linear", new KimiLinear(), "kimi_linear", "KimiLinearForCausalLM"),
        new("rwkv4", new Rwkv4(), "rwkv", "RwkvForCausalLM"),
        new("rwkv7", new Rwkv7(), "rwkv7", "RWKV7ForCausalLM"),
        new("lfm2", new Lfm2(), "lfm2", "Lfm2ForCausalLM"),
        new("mamba2", new Mamba2(), "mamba2", "Mamba2ForCausalLM"),
        new("qwen3next", new QwenHybrid(interleaves: false), "qwen3_next", "Qwen3NextForCausalLM"),
        new("qwen35", new QwenHybrid(interleaves: true), "qwen3_5_text", "qwen3_5", "Qwen3_5ForCausalLM", "Qwen3_5ForConditionalGeneration"),
        new("qwen35moe", new QwenHybrid(interleaves: true), "qwen3_5_moe_text", "qwen3_5_moe", "Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration"),
        new("smollm3", new SmolLm3(), "smollm3", "SmolLM3ForCausalLM"),
    ];

    /// <summary>All names that GGUF files use.</summary>
    public static IEnumerable<string> Names => Entries.Select(entry => entry.Gguf);

    /// <summary>The architecture of a model and its GGUF name.</summary>
    /// <exception cref="ModelFormatException">It is none of those known; the message names the nearest.</exception>
    public static (string Name, Architecture Architecture) Get(ModelSource source)
    {
        if (Find(source) is { } found)
            return (found.Gguf, found.Architecture);
        var wanted = source.ArchitectureNames.Count > 0 ? source.ArchitectureNames[0] : "";
        var known = source.IsGguf ? Names : Entries.SelectMany(entry => entry.HuggingFace);
        var nearest = known.OrderBy(name => Distance(name, wanted)).ThenBy(name => name, StringComparer.Ordinal).Take(3);
        throw new ModelFormatException(
            $"{source.Path}: architecture {ModelFormatException.Quote(wanted)} is not known; the nearest known are {string.Join(", ", nearest)}. docs/adding-an-architecture.md shows how to add one.");
    }

    /// <summary>What <c>config.json</c> calls an architecture: its <c>model_type</c> and its class.</summary>
    /// <param name="gguf">The name that GGUF files use.</param>
    public static (string ModelType, string Class) HuggingFaceNames(string gguf)
    {
        var names = Entries.Single(entry => entry.Gguf == gguf).HuggingFace;
        return (names.FirstOrDefault(name => name.EndsWith("_text", StringComparison.Ordinal)) ?? names[0], names.FirstOrDefault(name => name.EndsWith("ForCausalLM", StringComparison.Ordinal)) ?? names.First(name => char.IsUpper(name[0])));
    }

    /// <summary>True where <see cref="Get"/> would find one.</summary>
    public static bool Knows(ModelSource source) => Find(source) is not null;

    private static Entry? Find(ModelSource source) => source.ArchitectureNames
        .Select(name => Array.Find(Entries, entry => source.IsGguf ? entry.Gguf == name : entry.HuggingFace.Contains(name) && (entry.Key is null || source.Parameters.FindNumber("", entry.Key) > 0)))
        .FirstOrDefault(entry => entry is not null);

    // Levenshtein's distance, over the first 64 letters.
    private static int Distance(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        a = a[..Math.Min(a.Length, 64)];
        b = b[..Math.Min(b.Length, 64)];
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var changed = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }

    private sealed record Entry(string Gguf, Architecture Architecture, params string[] HuggingFace)
    {
        /// <summary>What <c>config.json</c> counts in these models alone, where others have the same names.</summary>
        public string? Key { get; init; }
    }
}
