using OpenHearth.Engine.SelfTesting;
using OpenHearth.Engine.Tests.Files;

namespace OpenHearth.Engine.Tests.SelfTesting;

public sealed class TileProofTests
{
    private static readonly SelfTestResult Right = new("x", "amx", 0.5), Wrong = new("x", "amx", 2), Other = new("x", "avx512", 0.5), OtherWrong = new("x", "avx512", 2);

    [Fact]
    public void Record_EverythingPassed_Holds()
    {
        using var folder = new TemporaryFolder();
        var home = Path.Combine($"{folder}", "new");
        Assert.False(TileProof.Record(home, [Wrong])); // a home that is not there yet
        Assert.False(TileProof.Holds(home));
        Assert.True(TileProof.Record(home, [Other, Right]));
        Assert.True(TileProof.Holds(home));
        Assert.Single(Directory.GetFiles(home));
    }

    [Fact]
    public void Record_SomethingFailed_NoLongerHolds()
    {
        using var folder = new TemporaryFolder();
        foreach (var failed in new[] { Wrong, OtherWrong })
        {
            TileProof.Record($"{folder}", [Right]);
            Assert.True(TileProof.Holds($"{folder}"));
            TileProof.Record($"{folder}", [Right, failed]);
            Assert.False(TileProof.Holds($"{folder}"));
        }
    }

    [Fact]
    public void Record_WithoutAmx_LeavesEverythingAsItIs()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(TileProof.Record($"{folder}", [Other]));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Holds_ForAnotherProcessorOrProgram_IsFalse()
    {
        using var folder = new TemporaryFolder();
        TileProof.Record($"{folder}", [Right]);
        var file = folder[folder.Files.Single()];
        var lines = File.ReadAllLines(file);
        Assert.Equal(Computer.CpuName, lines[0]);
        Assert.True(Guid.TryParse(lines[1], out _));
        foreach (var other in new[] { $"Another processor\n{lines[1]}\n", $"{lines[0]}\n{Guid.Empty}\n", "" })
        {
            File.WriteAllText(file, other);
            Assert.False(TileProof.Holds($"{folder}"));
        }
    }
}
