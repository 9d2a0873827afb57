using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Kernels.Tests.Cpu;

public sealed class CpuFeaturesTests
{
    [Fact]
    public void Current_NamesTheProcessorAndItsCores()
    {
        var cpu = CpuFeatures.Current;
        Assert.NotEmpty(cpu.Name);
        Assert.InRange(cpu.Cores, 1, Environment.ProcessorCount);
        Assert.InRange(cpu.CacheBytes, 64 << 10, 1 << 26);
        Assert.True(cpu.Level <= cpu.Highest);
        Assert.Contains(CpuLevel.Scalar, CpuFeatures.Available);
    }

    /// <summary>Tests run in a process without an instruction set rely on this: otherwise they would prove nothing.</summary>
    [Fact]
    public void Current_WhatTheRuntimeShallNotSee_IsMissing()
    {
        var cpu = CpuFeatures.Current;
        Assert.Equal(Avx512F.IsSupported, cpu.Instructions.Contains("AVX-512"));
        Assert.Equal(Avx2.IsSupported, cpu.Instructions.Contains("AVX2"));
        var without = Without("DOTNET_EnableHWIntrinsic") || Without("DOTNET_EnableAVX2") ? CpuLevel.Vector
            : Without("DOTNET_EnableAVX512") ? CpuLevel.Avx2
            : CpuLevel.Amx;
        Assert.True(cpu.Highest <= without, $"{cpu.Highest} where {without} is the most.");

        static bool Without(string variable) => Environment.GetEnvironmentVariable(variable) == "0";
    }

    [Fact]
    public void Detect_ALowerLevel_IsTaken()
    {
        foreach (var level in CpuFeatures.Available)
            Assert.Equal(level, CpuFeatures.Detect($" {level.ToString().ToUpperInvariant()} ", tilesTrusted: false).Level);
        Assert.Equal(CpuFeatures.Detect(null, tilesTrusted: true).Highest, CpuFeatures.Detect("", tilesTrusted: true).Level);
    }

    [Theory]
    [InlineData(CpuLevel.Amx, false, CpuLevel.Avx512)]
    [InlineData(CpuLevel.Amx, true, CpuLevel.Amx)]
    [InlineData(CpuLevel.Avx512, true, CpuLevel.Avx512)]
    [InlineData(CpuLevel.Avx2, false, CpuLevel.Avx2)]
    public void LevelInUse_TilesThatNobodySawWork_StayOff(CpuLevel highest, bool trusted, CpuLevel expected) =>
        Assert.Equal(expected, CpuFeatures.LevelInUse(null, highest, trusted));

    [Theory]
    [InlineData("amx", CpuLevel.Amx, CpuLevel.Amx)]
    [InlineData("amx", CpuLevel.Avx512, CpuLevel.Avx512)]
    [InlineData(" AVX512 ", CpuLevel.Amx, CpuLevel.Avx512)]
    [InlineData("avx512", CpuLevel.Avx2, CpuLevel.Avx2)]
    [InlineData("avx2", CpuLevel.Vector, CpuLevel.Vector)]
    [InlineData("scalar", CpuLevel.Amx, CpuLevel.Scalar)]
    public void LevelInUse_WhatIsWanted_IsTheMost(string wanted, CpuLevel highest, CpuLevel expected) =>
        Assert.Equal(expected, CpuFeatures.LevelInUse(wanted, highest, tilesTrusted: false));

    [Theory]
    [InlineData("sse9")]
    [InlineData("1")]
    [InlineData("17")]
    [InlineData("-1")]
    [InlineData("avx2,avx512")]
    public void Detect_NoLevel_SaysWhatThereIs(string wanted)
    {
        var error = Assert.Throws<InvalidOperationException>(() => CpuFeatures.Detect(wanted, tilesTrusted: false));
        Assert.Contains("HEARTH_CPU", error.Message);
        Assert.Contains("avx512", error.Message);
    }
}
