using System.Diagnostics;

namespace OpenHearth.Tests;

/// <summary>Runs tests of this assembly again in a process of their own, with another environment.</summary>
internal static class ChildTests
{
    /// <summary>Fails where one of the tests does.</summary>
    /// <param name="variable">Environment variable to set to 0, for example an instruction set that the runtime shall not see.</param>
    /// <param name="filters">Names of test methods, with * for any part.</param>
    public static async Task RunAsync(string variable, params string[] filters)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ChildTests).Assembly.Location);
        start.ArgumentList.Add("--filter-method");
        foreach (var filter in filters)
            start.ArgumentList.Add(filter);
        start.Environment[variable] = "0";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{variable}=0:\n{output}");
        Assert.Contains("Passed!", output, StringComparison.Ordinal);
    }
}
