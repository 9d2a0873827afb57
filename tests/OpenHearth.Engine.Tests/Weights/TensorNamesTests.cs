using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Tests.Weights;

public sealed class TensorNamesTests
{
    [Theory]
    [InlineData("blk.12.attn_q.bias", "model.layers.12.self_attn.q_proj.bias", "layers.12.self_attn.q_proj.bias")]
    [InlineData("token_embd.weight", "model.embed_tokens.weight", "embed_tokens.weight")]
    public void Resolve_OfACanonicalName_GivesItWithAndWithoutThePrefix(string canonical, params string[] foreign) =>
        Assert.Equal(foreign, TensorNames.Llama().Resolve(canonical).Select(candidate => candidate.Name).Take(2));

    [Fact]
    public void Resolve_OfACanonicalName_LooksInsideModelsThatSeeAsWell()
    {
        var names = TensorNames.Llama().Resolve("blk.3.attn_q.weight").Select(candidate => candidate.Name).ToList();
        Assert.Contains("model.language_model.layers.3.self_attn.q_proj.weight", names);
        Assert.Contains("language_model.model.layers.3.self_attn.q_proj.weight", names);
        Assert.Contains("language_model.lm_head.weight", TensorNames.Llama().Resolve("output.weight").Select(candidate => candidate.Name));
    }

    [Fact]
    public void Resolve_OfAnExpert_PutsItsNumberIn()
    {
        var names = new TensorNames("").Add("blk.*.ffn_up_exps", "layers.*.experts.#.up");
        Assert.Equal("layers.3.experts.7.up.weight", names.Resolve("blk.3.ffn_up_exps.weight", 7).First().Name);
        Assert.Empty(names.Resolve("blk.3.ffn_up_exps.weight"));
    }

    [Fact]
    public void Resolve_OfANameWithItsEnding_GivesTheWholeForeignName()
    {
        var names = new TensorNames("").Add("blk.*.attn_sinks.weight", "layers.*.self_attn.sinks").Add("blk.*.attn_sinks", "layers.*.sink");
        var resolved = names.Resolve("blk.3.attn_sinks.weight").Select(candidate => candidate.Name).Where(name => name.StartsWith("layers", StringComparison.Ordinal));
        Assert.Equal(["layers.3.self_attn.sinks", "layers.3.sink.weight"], resolved);
    }

    [Fact]
    public void Resolve_OfTwoTensors_GivesBothNames()
    {
        var names = new TensorNames().Add("blk.*.ffn_up.weight", "layers.*.up_blocks", "layers.*.up_scales", (blocks, _) => blocks);
        var first = names.Resolve("blk.3.ffn_up.weight").First();
        Assert.Equal(("model.layers.3.up_blocks", "model.layers.3.up_scales"), (first.Name, first.Beside.Single()));
    }

    [Fact]
    public void Replace_OfAName_ForgetsTheOthers()
    {
        var names = TensorNames.Llama().Replace("blk.*.ffn_norm", "layers.*.pre_feedforward_layernorm");
        Assert.Equal("model.layers.0.pre_feedforward_layernorm.weight", names.Resolve("blk.0.ffn_norm.weight").First().Name);
        Assert.DoesNotContain(names.Resolve("blk.0.ffn_norm.weight"), candidate => candidate.Name.Contains("post_attention", StringComparison.Ordinal));
    }
}
