using System.Diagnostics;

namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>The fast decoders and encoders equal their scalar twins on narrower CPUs too: the runtime can pretend to be on one.</summary>
public class VectorWidthTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task BlockFormatTests_WithoutAnInstructionSet_Pass(string setting)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(VectorWidthTests).Assembly.Location);
        start.ArgumentList.Add("--filter-method");
        start.ArgumentList.Add($"*.{nameof(BlockFormatTests.Decode_HostileBytes_StaysInsideItsSpansAndEqualsTheScalarTwin)}");
        start.ArgumentList.Add($"*.{nameof(BlockFormatTests.Encode_Fast_EqualsTheScalarTwin)}");
        start.Environment[setting] = "0";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{setting}=0:\n{output}");
        Assert.Contains("Passed!", output, StringComparison.Ordinal);
    }
}
