using System.Xml.Linq;

namespace OpenHearth.Repo.Tests;

/// <summary>Kernels ← Engine ← Training ← Platform ← Server ← Cli: arrows point left only (docs/architecture.md).</summary>
public sealed class ProjectArrowsTests
{
    private static readonly string[] LeftToRight = ["Kernels", "Engine", "Training", "Platform", "Server", "Cli"];

    [Fact]
    public void SourceProjects_ReferenceOnlyLeftNeighbours()
    {
        var source = Path.Combine(Fixtures.Checkout, "src");
        foreach (var file in Directory.EnumerateFiles(source, "*.csproj", SearchOption.AllDirectories))
        {
            var name = Short(file);
            Assert.Contains(name, LeftToRight);
            foreach (var reference in References(file))
            {
                Assert.True(Array.IndexOf(LeftToRight, reference) < Array.IndexOf(LeftToRight, name), $"{name} references {reference}, which lies to its right.");
                if (reference == "Kernels")
                    Assert.True(name is "Engine" or "Training", $"{name} references Kernels; only Engine and Training may.");
            }
        }
    }

    [Fact]
    public void UnsafeCode_IsAllowedInKernelsOnly()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Fixtures.Checkout, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var allowed = XDocument.Load(file).Descendants("AllowUnsafeBlocks").Any(e => e.Value == "true");
            Assert.Equal(Short(file) == "Kernels", allowed);
        }
    }

    private static IEnumerable<string> References(string file) =>
        XDocument.Load(file).Descendants("ProjectReference").Select(e => Short(e.Attribute("Include")!.Value));

    private static string Short(string path) =>
        Path.GetFileNameWithoutExtension(path.Replace('\\', '/')).Replace("OpenHearth.", "", StringComparison.Ordinal);
}
