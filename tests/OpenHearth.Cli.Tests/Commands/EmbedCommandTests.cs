using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class EmbedCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-embed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_OfSeveralTexts_IsOneDocumentWhoseNearTextsAreNear()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("embed", MiniLm(), "A cat sits on the mat.", "A kitten rests on the rug.", "The stock market fell sharply today.", "--json"));
        var document = JsonNode.Parse(terminal.Output)!.AsObject();
        Assert.Equal(["model", "dimensions", "embeddings"], document.Select(pair => pair.Key));
        Assert.Equal(384, (int)document["dimensions"]!);
        var vectors = document["embeddings"]!.AsArray().Select(row => row!.AsArray().Select(value => (double)value!).ToArray()).ToArray();
        Assert.Equal([384, 384, 384], vectors.Select(vector => vector.Length));
        Assert.Equal(1, Dot(vectors[0], vectors[0]), 1e-4);
        Assert.True(Dot(vectors[0], vectors[1]) > Dot(vectors[0], vectors[2]) + 0.3);
    }

    [Fact]
    public void Run_OfAFileOrStandardInput_IsTheTextsLine()
    {
        var file = Path.Combine(_folder, "text.txt");
        File.WriteAllText(file, "A cat sits on the mat.");
        var terminals = new[] { new FakeTerminal(), new FakeTerminal(), new FakeTerminal { Input = "A cat sits on the mat." } };
        Assert.Equal(0, terminals[0].Run("embed", MiniLm(), "A cat sits on the mat."));
        Assert.Equal(0, terminals[1].Run("embed", MiniLm(), "--file", file));
        Assert.Equal(0, terminals[2].Run("embed", MiniLm()));
        Assert.Equal(384, terminals[0].Output.Split(' ').Length);
        Assert.All(terminals, terminal => Assert.Equal(terminals[0].Output, terminal.Output));
    }

    [Fact]
    public void Run_OfATextBeyondTheModel_SaysBothNumbers()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("embed", MiniLm(), string.Join(' ', Enumerable.Repeat("cat", 600))));
        Assert.Contains("Text 1 of 1 has 602 tokens;", terminal.Error);
        Assert.Contains("takes at most 512. Cut it into parts.", terminal.Error);
        Assert.Empty(terminal.Output);
    }

    [Fact]
    public void Run_OfATextModel_SaysWhatToUse()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("embed", "smollm2", "A cat"));
        Assert.Contains("is no encoder (llama)", terminal.Error);
    }

    [Fact]
    public void Run_WithTextsAndAFile_IsAWrongCommandLine() =>
        Assert.Equal(2, new FakeTerminal().Run("embed", "smollm2", "a", "b", "--file", "c"));

    [Fact]
    public void Run_WithAnUnknownPooling_IsAWrongCommandLine() =>
        Assert.Equal(2, new FakeTerminal().Run("embed", "smollm2", "a", "--pooling", "best"));

    private static string MiniLm() => Fixtures.Path("models", "all_minilm_l6_v2", "all-MiniLM-L6-v2-q8_0.gguf");

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
