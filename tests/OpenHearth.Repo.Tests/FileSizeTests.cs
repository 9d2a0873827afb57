namespace OpenHearth.Repo.Tests;

/// <summary>A file that outgrows 500 lines holds two ideas.</summary>
public sealed class FileSizeTests
{
    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    public void CodeFiles_StopAt500Lines(string folder)
    {
        var tooLong = Directory.EnumerateFiles(Path.Combine(Fixtures.Checkout, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(file => (File: Path.GetRelativePath(Fixtures.Checkout, file), Lines: File.ReadLines(file).Count()))
            .Where(entry => entry.Lines > 500)
            .Select(entry => $"{entry.File}: {entry.Lines}");
        Assert.Empty(tooLong);
    }
}
