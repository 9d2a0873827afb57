using System.Text.RegularExpressions;

namespace OpenHearth.Repo.Tests;

/// <summary>A model family is one file and one line of the registry: nothing else in the program may know it.</summary>
public sealed partial class ArchitectureFilesTests
{
    private static readonly string Source = Path.Combine(Fixtures.Checkout, "src");
    private static readonly string Folder = Path.Combine(Source, "OpenHearth.Engine", "Architectures");

    [Fact]
    public void Families_OfTheRegistry_HaveAFileOfTheirName()
    {
        var families = Families();
        Assert.True(families.Length > 30, $"the registry has {families.Length} families");
        Assert.All(families, family => Assert.Matches($@"class {family} : Architecture\b", File.ReadAllText(Path.Combine(Folder, $"{family}.cs"))));
        var files = Directory.EnumerateFiles(Folder, "*.cs").Where(file => Regex.IsMatch(File.ReadAllText(file), @"class \w+ : Architecture\b"));
        Assert.Equal(families, files.Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Families_AreMadeByTheRegistry_AndUsedInTheirFolder()
    {
        var any = string.Join('|', Families());
        var made = new Regex($@"\bnew ({any})\(");
        var used = new Regex($@"\b(?:is|as|new) ({any})\b|(?:<|typeof\()({any})[>)]|(?<![.\w])({any})\.[A-Z]\w*\(");
        foreach (var file in Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)))
        {
            if (Path.GetFileName(file) == "ArchitectureRegistry.cs")
                continue;
            var code = Comment().Replace(File.ReadAllText(file), "");
            var match = (Path.GetDirectoryName(file) == Folder ? made : used).Match(code);
            Assert.False(match.Success, $"{file} knows a family: {match.Value}");
        }
    }

    private static string[] Families() =>
        [.. Entry().Matches(File.ReadAllText(Path.Combine(Folder, "ArchitectureRegistry.cs"))).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"new\(""[^""]+"", new (\w+)\(\)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
