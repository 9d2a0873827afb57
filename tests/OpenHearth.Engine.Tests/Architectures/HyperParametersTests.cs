using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tests.Architectures;

public sealed class HyperParametersTests
{
    [Fact]
    public void HeadWidth_OfHeadsThatCantShareTheWidth_IsRefused()
    {
        using var file = new TinyBert(heads: 5);
        var failure = Assert.Throws<ModelFormatException>(() => Model.Load(file.Path));
        Assert.EndsWith("5 attention heads can't share a width of 24", failure.Message, StringComparison.Ordinal);
    }
}
