using System.Diagnostics;

namespace OpenHearth.Peers;

/// <summary>Another process that spins on one of the cores for as long as this object lives.</summary>
internal sealed class BusyNeighbour : IDisposable
{
    /// <summary>The argument with which this program does nothing but spin.</summary>
    public const string Argument = "spin";

    private readonly Process _process;

    public BusyNeighbour()
    {
        // The program's own file, or `dotnet` with it.
        var self = Environment.ProcessPath!;
        string[] arguments = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(BusyNeighbour).Assembly.Location, Argument] : [Argument];
        _process = Process.Start(new ProcessStartInfo(self, arguments) { RedirectStandardInput = true })!;
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            _process.ProcessorAffinity = 1;
    }

    /// <summary>Spins until standard input ends, which it does when the parent is gone.</summary>
    public static int Spin()
    {
        new Thread(() =>
        {
            Console.In.ReadToEnd();
            Environment.Exit(0);
        })
        { IsBackground = true }.Start();
        while (true)
            Thread.SpinWait(1 << 20);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
