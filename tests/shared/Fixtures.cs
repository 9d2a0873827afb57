namespace OpenHearth.Tests;

/// <summary>
/// The reference data beside a checkout (<c>../shared</c>). It is not part of the project: a conformance test asks for
/// it here and is reported as skipped where it is absent.
/// </summary>
internal static class Fixtures
{
    private static readonly string? Root = Find();

    /// <summary>Root of the checkout that this test runs from.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>True where the reference data is there; for theories that must list at least one case.</summary>
    public static bool ArePresent => Root is not null;

    /// <summary>The path of a file or folder of the reference data; skips the running test where it is absent.</summary>
    public static string Path(params string[] parts)
    {
        Assert.SkipWhen(Root is null, "The reference data (../shared beside the checkout) is not on this machine.");
        var path = System.IO.Path.Combine([Root!, .. parts]);
        Assert.SkipUnless(File.Exists(path) || Directory.Exists(path), $"The reference data has no {string.Join('/', parts)}.");
        return path;
    }

    private static string? Find()
    {
        var path = System.IO.Path.Combine(FindCheckout(), "..", "shared");
        return Directory.Exists(System.IO.Path.Combine(path, "fixtures")) ? System.IO.Path.GetFullPath(path) : null;
    }

    private static string FindCheckout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "OpenHearth.slnx")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"No OpenHearth.slnx above {AppContext.BaseDirectory}.");
    }
}
