using OpenHearth.Kernels.Tests.Cpu;
using OpenHearth.Kernels.Tests.MatMul;

namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>Kernels equal their twins on narrower CPUs too: the runtime can pretend to be on one.</summary>
public class VectorWidthTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public Task Tests_WithoutAnInstructionSet_Pass(string setting) => ChildTests.RunAsync(
        setting,
        $"*.{nameof(CpuFeaturesTests.Current_WhatTheRuntimeShallNotSee_IsMissing)}",
        $"*.{nameof(BlockFormatTests.Decode_HostileBytes_StaysInsideItsSpansAndEqualsTheScalarTwin)}",
        $"*.{nameof(BlockFormatTests.Encode_Fast_EqualsTheScalarTwin)}",
        $"*.{nameof(ProductTests.Multiply_AnyFormatLevelAndBatch_EqualsTheSumInDoublePrecision)}");
}
