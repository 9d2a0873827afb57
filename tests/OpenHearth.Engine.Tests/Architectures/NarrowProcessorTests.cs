using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>Every architecture in a process whose runtime does not see the widest instructions of this processor.</summary>
public sealed class NarrowProcessorTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    public Task Architectures_WithoutAnInstructionSet_GiveTheReference(string setting) => ChildTests.RunAsync(
        setting, $"*.{nameof(Computer_WithoutAnInstructionSet_IsAtALowerLevel)}", $"*.{nameof(ArchitectureTests.Logits_OfAllIdsAtOnce_AreTheReference)}");

    [Fact]
    public void Computer_WithoutAnInstructionSet_IsAtALowerLevel()
    {
        var most = Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0" ? CpuLevel.Vector
            : Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0" ? CpuLevel.Avx2
            : CpuLevel.Amx;
        Assert.True(CpuFeatures.Current.Highest <= most, $"{CpuFeatures.Current.Highest} where {most} is the most.");
    }
}
