using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Tests.Weights;

public sealed class TensorNamesTests
{
    [Theory]
    [InlineData("blk.12.attn_q.bias", "model.layers.12.self_attn.q_proj.bias", "layers.12.self_attn.q_proj.bias")]
    [InlineData("token_embd.weight", "model.embed_tokens.weight", "embed_tokens.weight")]
    public void Resolve_OfACanonicalName_GivesItWithAndWithoutThePrefix(string canonical, params string[] foreign) =>
        Assert.Equal(foreign, TensorNames.Llama().Resolve(canonical).Select(candidate => candidate.Name));

    [Fact]
    public void Resolve_OfAnExpert_PutsItsNumberIn()
    {
        var names = new TensorNames("").Add("blk.*.ffn_up_exps", "layers.*.experts.#.up");
        Assert.Equal("layers.3.experts.7.up.weight", names.Resolve("blk.3.ffn_up_exps.weight", 7).First().Name);
        Assert.Empty(names.Resolve("blk.3.ffn_up_exps.weight"));
    }

    [Fact]
    public void Replace_OfAName_ForgetsTheOthers()
    {
        var names = TensorNames.Llama().Replace("blk.*.ffn_norm", "layers.*.pre_feedforward_layernorm");
        Assert.Equal("model.layers.0.pre_feedforward_layernorm.weight", names.Resolve("blk.0.ffn_norm.weight").First().Name);
        Assert.Equal(2, names.Resolve("blk.0.ffn_norm.weight").Count());
    }
}
