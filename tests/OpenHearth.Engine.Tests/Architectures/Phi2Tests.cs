using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>
/// No fixture has a Phi 2. Where both norms of a GPT-NeoX layer are the same, it is one, but for the bias of the head; and GPT-NeoX
/// has a fixture.
/// </summary>
public sealed class Phi2Tests
{
    private const int Layers = 2;
    private const int Width = 64;
    private const int Hidden = 128;
    private const int Heads = 4;
    private const int HeadWidth = Width / Heads;
    private const int Vocabulary = 256;

    [Theory]
    [InlineData("safetensors", true)]
    [InlineData("safetensors", false)]
    [InlineData("gguf", true)]
    public void Logits_AreThoseOfAGptNeoXWithOneNorm(string form, bool fuse)
    {
        var fixture = new ArchitectureFixture("gpt-neox");
        var neox = EditableModel.Read(fixture, "safetensors");
        foreach (var kind in (string[])["weight", "bias"])
        {
            for (var layer = 0; layer < Layers; layer++)
                neox.Set($"gpt_neox.layers.{layer}.post_attention_layernorm.{kind}", neox[$"gpt_neox.layers.{layer}.input_layernorm.{kind}"], Width);
        }
        neox.Config["hidden_act"] = "gelu_new"; // as GGUF files can't say another
        var expected = neox.RunSafetensors(fixture.Ids);
        var bias = Enumerable.Range(0, Vocabulary).Select(i => MathF.Sin(i)).ToArray();
        for (var i = 0; i < expected.Length; i++)
            expected[i] += bias[i % Vocabulary];
        var phi = Rewrite(neox, bias, form == "gguf");
        var actual = form == "gguf" ? phi.RunGguf("phi2", fixture.Ids, fuse) : phi.RunSafetensors(fixture.Ids, fuse);
        Assert.InRange(LogitComparison.Error(expected, actual), 0, 1e-5);
    }

    internal static EditableModel Rewrite(EditableModel neox, float[] bias, bool gguf)
    {
        var phi = new EditableModel();
        foreach (var (key, value) in new (string, JsonNode)[]
        {
            ("model_type", "phi"), ("hidden_size", Width), ("intermediate_size", Hidden), ("num_hidden_layers", Layers), ("num_attention_heads", Heads),
            ("partial_rotary_factor", 0.25), ("rope_theta", 10000.0), ("layer_norm_eps", 1e-5), ("hidden_act", "gelu_new"), ("max_position_embeddings", 128),
        })
            phi.Config[key] = value;
        foreach (var (key, value) in new[]
        {
            ("block_count", Layers), ("context_length", 128), ("embedding_length", Width), ("feed_forward_length", Hidden),
            ("attention.head_count", Heads), ("attention.head_count_kv", Heads), ("rope.dimension_count", HeadWidth / 4),
        })
            phi.Metadata[key] = (uint)value;
        phi.Metadata["attention.layer_norm_epsilon"] = 1e-5f;

        void Copy(string from, string to, params long[] shape) => phi.Set(to, neox[from], shape);
        Copy("gpt_neox.embed_in.weight", gguf ? "token_embd.weight" : "model.embed_tokens.weight", Vocabulary, Width);
        Copy("embed_out.weight", gguf ? "output.weight" : "lm_head.weight", Vocabulary, Width);
        phi.Set(gguf ? "output.bias" : "lm_head.bias", bias, Vocabulary);
        foreach (var kind in (string[])["weight", "bias"])
        {
            long[] Shape(long rows, long columns) => kind == "bias" ? [rows] : [rows, columns];
            Copy($"gpt_neox.final_layer_norm.{kind}", gguf ? $"output_norm.{kind}" : $"model.final_layernorm.{kind}", Width);
            for (var layer = 0; layer < Layers; layer++)
            {
                var from = $"gpt_neox.layers.{layer}";
                string To(string canonical, string foreign) => gguf ? $"blk.{layer}.{canonical}.{kind}" : $"model.layers.{layer}.{foreign}.{kind}";
                Copy($"{from}.input_layernorm.{kind}", To("attn_norm", "input_layernorm"), Width);
                Copy($"{from}.attention.dense.{kind}", To("attn_output", "self_attn.dense"), Shape(Width, Width));
                Copy($"{from}.mlp.dense_h_to_4h.{kind}", To("ffn_up", "mlp.fc1"), Shape(Hidden, Width));
                Copy($"{from}.mlp.dense_4h_to_h.{kind}", To("ffn_down", "mlp.fc2"), Shape(Width, Hidden));
                // GPT-NeoX has the query, key and value of a head one after another.
                var parts = Enumerable.Range(0, 3).Select(part => Part(neox[$"{from}.attention.query_key_value.{kind}"], part)).ToArray();
                if (gguf)
                    phi.Set(To("attn_qkv", ""), [.. parts.SelectMany(values => values)], Shape(3 * Width, Width));
                for (var part = 0; part < 3 && !gguf; part++)
                    phi.Set(To("", $"self_attn.{"qkv"[part]}_proj"), parts[part], Shape(Width, Width));
            }
        }
        return phi;
    }

    private static float[] Part(float[] all, int part)
    {
        var head = all.Length / 3 / Heads;
        return [.. Enumerable.Range(0, Heads).SelectMany(h => all.AsSpan(((3 * h) + part) * head, head).ToArray())];
    }
}
