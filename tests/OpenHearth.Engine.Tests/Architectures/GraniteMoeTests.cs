using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a Granite MoE, so it is reduced to a dense one: experts that are all its feed-forward block, whatever the router says.</summary>
public sealed class GraniteMoeTests
{
    private const int Layers = 2;
    private const int Width = 64;
    private const int Hidden = 96;
    private const int Experts = 5;
    private const float Shared = 0.375f; // what the shared expert gives of the whole

    [Theory]
    [InlineData("granitemoe", false)]
    [InlineData("granitemoeshared", true)]
    public void Logits_OfExpertsThatAreAllTheSame_AreThoseOfTheDenseModel(string modelType, bool shared)
    {
        var fixture = new ArchitectureFixture("granite");
        var model = EditableModel.Read(fixture, "safetensors");
        foreach (var (key, value) in new (string, JsonNode)[] { ("model_type", modelType), ("num_local_experts", Experts), ("num_experts_per_tok", 2), ("shared_intermediate_size", shared ? Hidden : 0) })
            model.Config[key] = value;
        model.Config.Remove("architectures");
        for (var layer = 0; layer < Layers; layer++)
        {
            var (block, mlp) = ($"model.layers.{layer}", $"model.layers.{layer}.mlp");
            float[] input = [.. model.Remove($"{mlp}.gate_proj.weight").Values, .. model.Remove($"{mlp}.up_proj.weight").Values];
            var output = model.Remove($"{mlp}.down_proj.weight").Values;
            model.SetRandom($"{block}.block_sparse_moe.router.layer.weight", layer, 0, Experts, Width)
                .Set($"{block}.block_sparse_moe.input_linear.weight", Repeat(input, 1), Experts, 2 * Hidden, Width)
                .Set($"{block}.block_sparse_moe.output_linear.weight", Repeat(output, shared ? 1 - Shared : 1), Experts, Width, Hidden);
            if (shared)
            {
                model.Set($"{block}.shared_mlp.input_linear.weight", input, 2 * Hidden, Width)
                    .Set($"{block}.shared_mlp.output_linear.weight", [.. output.Select(value => value * Shared)], Width, Hidden);
            }
        }
        Check(fixture, model.RunSafetensors(fixture.Ids));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Logits_OfTheGgufForm_AreThoseOfTheDenseModel(bool shared)
    {
        var fixture = new ArchitectureFixture("granite");
        var model = EditableModel.Read(fixture, "gguf");
        (model.Metadata["expert_count"], model.Metadata["expert_used_count"]) = ((uint)Experts, 2u);
        if (shared)
            model.Metadata["expert_shared_feed_forward_length"] = (uint)Hidden;
        for (var layer = 0; layer < Layers; layer++)
        {
            var block = $"blk.{layer}";
            model.SetRandom($"{block}.ffn_gate_inp.weight", layer, 0, Experts, Width);
            foreach (var (name, share) in new[] { ("gate", 1f), ("up", 1f), ("down", Shared) })
            {
                var (shape, values) = model.Remove($"{block}.ffn_{name}.weight");
                model.Set($"{block}.ffn_{name}_exps.weight", Repeat(values, shared && name == "down" ? 1 - share : 1), [Experts, .. shape]);
                if (shared)
                    model.Set($"{block}.ffn_{name}_shexp.weight", [.. values.Select(value => value * share)], shape);
            }
        }
        Check(fixture, model.RunGguf("granitemoe", fixture.Ids));
    }

    private static float[] Repeat(float[] values, float factor) =>
        [.. Enumerable.Repeat(values, Experts).SelectMany(values => values).Select(value => value * factor)];

    private static void Check(ArchitectureFixture fixture, float[] logits) =>
        Assert.True(fixture.Error(logits) <= 1e-4, $"error {fixture.Error(logits):E1} of the standard deviation");
}
