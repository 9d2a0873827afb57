namespace OpenHearth.Engine.Tests.Generation;

/// <summary>Alone, because the sample writes to the console and reads a path from the root of the checkout.</summary>
[CollectionDefinition(nameof(ReadmeSampleTests), DisableParallelization = true)]
[Collection(nameof(ReadmeSampleTests))]
public sealed class ReadmeSampleTests
{
    [Fact]
    public async Task Sample_FromTheRootOfTheCheckout_AnswersTheQuestion()
    {
        var (console, folder) = (Console.Out, Environment.CurrentDirectory);
        using var output = new StringWriter();
        try
        {
            Console.SetOut(output);
            Environment.CurrentDirectory = Fixtures.Checkout;
            await Readme.Sample.RunAsync();
        }
        finally
        {
            Environment.CurrentDirectory = folder;
            Console.SetOut(console);
        }
        Assert.Contains("blue", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("scatter", output.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Readme_WhereItShowsTheLibrary_HasTheLinesOfTheSample()
    {
        var readme = Path.Combine(Fixtures.Checkout, "README.md");
        Assert.SkipUnless(File.Exists(readme), "There is no README yet.");
        var source = File.ReadAllLines(Path.Combine(Fixtures.Checkout, "tests", "OpenHearth.Engine.Tests", "Generation", "ReadmeSample.cs"));
        var begin = Array.FindIndex(source, line => line.Trim() == "// sample begins") + 1;
        var end = Array.FindIndex(source, line => line.Trim() == "// sample ends");
        var indent = source[begin].Length - source[begin].TrimStart().Length;
        var usings = source.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal));
        var body = source[begin..end].Select(line => line.Length > indent ? line[indent..] : line);
        Assert.Contains($"```csharp\n{string.Join('\n', [.. usings, "", .. body])}\n```", File.ReadAllText(readme), StringComparison.Ordinal);
    }
}
