using OpenHearth.Kernels.CodeGen;

namespace OpenHearth.Kernels.Tests.CodeGen;

public sealed class KernelTableTests
{
    [Fact]
    public void Item_BeyondTheRoom_MakesMoreAndKeepsWhatIsThere()
    {
        Assert.SkipUnless(GeneratedKernels.Refusal is null, GeneratedKernels.Refusal ?? "");
        List<int> written = [];
        var table = new KernelTable(2, number =>
        {
            written.Add(number);
            return new KernelBuilder().Build($"table test {number}");
        });
        var first = table[1];
        Assert.Equal("table test 500", table[500].Name);
        Assert.Equal("table test 499", table[499].Name);
        Assert.Same(first, table[1]);
        Assert.Same(table[500], table[500]);
        Assert.Equal([1, 500, 499], written);
    }
}
