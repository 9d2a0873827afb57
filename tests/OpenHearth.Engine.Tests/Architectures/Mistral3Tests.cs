using System.Text.Json.Nodes;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>No fixture has a Ministral 3. With one layer, each of its rows is that of a Llama whose queries have the row's factor.</summary>
public sealed class Mistral3Tests
{
    private const float Beta = 0.7f;
    private const int Original = 5;

    [Theory]
    [InlineData("safetensors")]
    [InlineData("gguf")]
    public void Logits_OfARow_AreThoseOfLlamaWithQueriesAsSharp(string form)
    {
        var fixture = new ArchitectureFixture("llama");
        float[] Run(EditableModel model, string architecture) => form == "gguf" ? model.RunGguf(architecture, fixture.Ids) : model.RunSafetensors(fixture.Ids);
        var sharpened = Run(Describe(OneLayer(fixture, form)), "mistral3");
        foreach (var row in (int[])[0, 4, 5, 9, 10, fixture.Ids.Length - 1])
        {
            var factor = 1 + (Beta * MathF.Log(1 + (row / Original)));
            var llama = OneLayer(fixture, form);
            foreach (ref var weight in llama[form == "gguf" ? "blk.0.attn_q.weight" : "model.layers.0.self_attn.q_proj.weight"].AsSpan())
                weight *= factor;
            var expected = Run(llama, "llama").AsSpan(row * fixture.Width, fixture.Width);
            Assert.InRange(LogitComparison.Error(expected, sharpened.AsSpan(row * fixture.Width, fixture.Width)), 0, 1e-5);
        }
    }

    internal static EditableModel Describe(EditableModel model)
    {
        model.Config["model_type"] = "ministral3";
        model.Config.Remove("architectures");
        model.Config["rope_parameters"] = new JsonObject
        {
            ["rope_type"] = "default",
            ["rope_theta"] = 10000.0,
            ["llama_4_scaling_beta"] = Beta,
            ["original_max_position_embeddings"] = Original,
        };
        model.Metadata["attention.temperature_scale"] = Beta;
        model.Metadata["rope.scaling.original_context_length"] = (uint)Original;
        return model;
    }

    private static EditableModel OneLayer(ArchitectureFixture fixture, string form)
    {
        var model = EditableModel.Read(fixture, form);
        model.Config["num_hidden_layers"] = 1;
        model.Metadata["block_count"] = 1u;
        model.RemoveAll("blk.1.");
        model.RemoveAll("model.layers.1.");
        return model;
    }
}
