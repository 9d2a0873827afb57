using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a DeepSeek MoE of the first generation, so it is reduced to Mixtral and to Llama.</summary>
public sealed class DeepSeekMoeTests
{
    private const int Layers = 2;
    private const int Width = 64;
    private const int Hidden = 96;
    private const int Experts = 4;

    [Fact]
    public void Logits_WithoutWhatSharedExpertsGive_AreMixtrals()
    {
        var fixture = new ArchitectureFixture("mixtral");
        var model = EditableModel.Read(fixture, "safetensors");
        Describe(model, ("norm_topk_prob", true), ("n_shared_experts", 1));
        for (var layer = 0; layer < Layers; layer++)
        {
            var (from, to) = ($"model.layers.{layer}.block_sparse_moe", $"model.layers.{layer}.mlp");
            model.Set($"{to}.gate.weight", model.Remove($"{from}.gate.weight").Values, Experts, Width);
            for (var e = 0; e < Experts; e++)
            {
                foreach (var (old, name) in new[] { ("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj") })
                {
                    var (shape, values) = model.Remove($"{from}.experts.{e}.{old}.weight");
                    model.Set($"{to}.experts.{e}.{name}.weight", values, shape);
                }
            }
            model.SetRandom($"{to}.shared_experts.gate_proj.weight", 1, 0, Hidden, Width).SetRandom($"{to}.shared_experts.up_proj.weight", 2, 0, Hidden, Width);
            model.Set($"{to}.shared_experts.down_proj.weight", new float[Width * Hidden], Width, Hidden);
        }
        Check(fixture, model.RunSafetensors(fixture.Ids));
    }

    // A router of zeros gives each of 4 experts a quarter; the 2 that are used give half of the block, the shared ones the rest.
    [Theory]
    [InlineData("safetensors")]
    [InlineData("gguf")]
    public void Logits_OfExpertsThatShareABlock_AreLlamas(string form)
    {
        var fixture = new ArchitectureFixture("llama");
        var model = EditableModel.Read(fixture, form);
        Describe(model, ("norm_topk_prob", false), ("n_shared_experts", 2), ("moe_intermediate_size", Hidden / 2));
        foreach (var (key, value) in new[] { ("expert_count", Experts), ("expert_used_count", 2), ("expert_shared_count", 2), ("expert_feed_forward_length", Hidden / 2), ("leading_dense_block_count", 1) })
            model.Metadata[key] = (uint)value;
        var gguf = form == "gguf";
        var names = gguf ? new[] { "ffn_gate", "ffn_up", "ffn_down" } : ["gate_proj", "up_proj", "down_proj"];
        var block = gguf ? "blk.1" : "model.layers.1.mlp"; // the first layer stays dense
        float[] gate = model.Remove($"{block}.{names[0]}.weight").Values, up = model.Remove($"{block}.{names[1]}.weight").Values, down = model.Remove($"{block}.{names[2]}.weight").Values;
        model.Set(gguf ? $"{block}.ffn_gate_inp.weight" : $"{block}.gate.weight", new float[Experts * Width], Experts, Width);
        Set(model, gguf ? $"{block}.ffn_#_shexp.weight" : $"{block}.shared_experts.#_proj.weight", gate, up, Columns(down, 0, Hidden, 0.5f), Hidden);
        // The chosen are the first two where all are alike: each gives a quarter of twice its half of the block.
        var halves = Enumerable.Range(0, Experts).Select(e => (Rows(gate, e % 2), Rows(up, e % 2), Columns(down, e % 2 * (Hidden / 2), Hidden / 2, 2f))).ToArray();
        for (var e = 0; e < Experts && !gguf; e++)
            Set(model, $"{block}.experts.{e}.#_proj.weight", halves[e].Item1, halves[e].Item2, halves[e].Item3, Hidden / 2);
        if (gguf)
        {
            model.Set($"{block}.ffn_gate_exps.weight", [.. halves.SelectMany(half => half.Item1)], Experts, Hidden / 2, Width)
                .Set($"{block}.ffn_up_exps.weight", [.. halves.SelectMany(half => half.Item2)], Experts, Hidden / 2, Width)
                .Set($"{block}.ffn_down_exps.weight", [.. halves.SelectMany(half => half.Item3)], Experts, Width, Hidden / 2);
        }
        Check(fixture, gguf ? model.RunGguf("deepseek", fixture.Ids) : model.RunSafetensors(fixture.Ids));
    }

    private static void Set(EditableModel model, string name, float[] gate, float[] up, float[] down, int hidden)
    {
        string Name(string part) => name.Replace("#", part, StringComparison.Ordinal);
        model.Set(Name("gate"), gate, hidden, Width).Set(Name("up"), up, hidden, Width).Set(Name("down"), down, Width, hidden);
    }

    private static float[] Rows(float[] matrix, int half) => matrix[(half * matrix.Length / 2)..((half + 1) * matrix.Length / 2)];

    private static float[] Columns(float[] down, int first, int count, float factor) =>
        [.. Enumerable.Range(0, Width).SelectMany(r => down.Skip((r * Hidden) + first).Take(count)).Select(value => value * factor)];

    private static void Describe(EditableModel model, params (string Key, JsonNode Value)[] more)
    {
        foreach (var (key, value) in more.Concat([("model_type", "deepseek"), ("n_routed_experts", Experts), ("num_experts_per_tok", 2), ("scoring_func", "softmax")]))
            model.Config[key] = value;
        if (!model.Config.ContainsKey("moe_intermediate_size"))
            model.Config["moe_intermediate_size"] = Hidden;
        model.Config.Remove("architectures");
    }

    private static void Check(ArchitectureFixture fixture, float[] logits) =>
        Assert.True(fixture.Error(logits) <= 1e-4, $"error {fixture.Error(logits):E1} of the standard deviation");
}
