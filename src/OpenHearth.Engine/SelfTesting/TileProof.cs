using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>
/// A note in the folder of what the program keeps, that AMX computed right on this processor with these very kernels. Without it
/// AMX stays off, unless HEARTH_CPU asks for it: the kernels were written without such a processor at hand.
/// </summary>
public static class TileProof
{
    /// <summary>The level that needs it.</summary>
    public const string Level = "amx";

    private const string Name = "amx-proven.txt";

    private static string Text => $"{CpuFeatures.BrandName()}\n{typeof(CpuFeatures).Module.ModuleVersionId}\n";

    /// <summary>Turns AMX on where the processor has it and the note is there. Call it before anything else of the engine.</summary>
    /// <param name="folder">Where the program keeps things; need not exist.</param>
    public static void Use(string folder)
    {
        if (CpuFeatures.Available.Contains(CpuLevel.Amx) && Holds(folder))
            CpuFeatures.TrustTiles();
    }

    /// <summary>True where the note is there, for this processor and these kernels.</summary>
    /// <inheritdoc cref="Use" path="/param"/>
    public static bool Holds(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, Name)) == Text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes the note where AMX was tested and everything passed, and takes it away where something failed.</summary>
    /// <param name="folder">Where the program keeps things; made where it does not exist.</param>
    /// <param name="results">Of a whole run.</param>
    /// <returns>Whether the note is there now; null where AMX was not tested.</returns>
    /// <exception cref="IOException">The folder can't be written.</exception>
    public static bool? Record(string folder, IReadOnlyCollection<SelfTestResult> results)
    {
        if (!results.Any(result => result.Level == Level))
            return null;
        var path = Path.Combine(folder, Name);
        if (results.Any(result => !result.Passed))
        {
            if (File.Exists(path))
                File.Delete(path);
            return false;
        }
        Directory.CreateDirectory(folder);
        var partial = $"{path}.{Environment.ProcessId}";
        File.WriteAllText(partial, Text);
        File.Move(partial, path, overwrite: true);
        return true;
    }
}
