using System.Text.Json.Nodes;

namespace OpenHearth.Cli.Tests.Commands;

public sealed class LogitsCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-logits-").FullName;

    private static readonly string SmolLm2 = Path.Combine(Fixtures.Checkout, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_TopAndOut_AgreeWithEachOther()
    {
        var file = Path.Combine(_folder, "logits.f32");
        var terminal = new FakeTerminal();
        Assert.Equal(0, terminal.Run("logits", "smollm2", "--ids", "504,260", "--top", "3", "--out", file, "--exact", "--json"));
        var document = JsonNode.Parse(terminal.Output)!;
        Assert.Equal("[2,49152]", document["shape"]!.ToJsonString());
        Assert.Equal("logits", (string)document["kind"]!);
        var values = new float[2 * 49152];
        Buffer.BlockCopy(File.ReadAllBytes(file), 0, values, 0, values.Length * sizeof(float));
        for (var row = 0; row < 2; row++)
        {
            var best = document["top"]![row]!.AsArray();
            Assert.Equal(3, best.Count);
            var sorted = values.Skip(row * 49152).Take(49152).Order().Reverse().ToArray();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(sorted[i], (float)best[i]![1]!);
                Assert.Equal(sorted[i], values[row * 49152 + (int)best[i]![0]!]);
            }
        }
    }

    [Fact]
    public void Run_IdsFile_IsLikeIds()
    {
        var file = Path.Combine(_folder, "ids.json");
        File.WriteAllText(file, "[504, 260]");
        var (a, b) = (new FakeTerminal(), new FakeTerminal());
        Assert.Equal(0, a.Run("logits", "smollm2", "--ids-file", file, "--top", "2"));
        Assert.Equal(0, b.Run("logits", "smollm2", "--ids", "504, 260", "--top", "2"));
        Assert.Equal(a.Output, b.Output);
        Assert.StartsWith("logits [2, 49152]\n", a.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_MoreIdsThanTheModelWasMadeFor_WantsToBeAsked()
    {
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("logits", "smollm2", "--ids", string.Join(',', Enumerable.Repeat(504, 8193))));
        Assert.Matches(@"A context of 8193 tokens was asked for; .* was made for 8192\..*--ctx", terminal.Error);
    }

    [Fact]
    public void Run_Batch_IsOneArray()
    {
        var file = Path.Combine(_folder, "batch.json");
        File.WriteAllText(file, "[[504], [], [999999], [504, 260]]");
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("logits", "smollm2", "--batch", file, "--top", "1"));
        var results = JsonNode.Parse(terminal.Output)!.AsArray();
        Assert.Equal("[1,49152]", results[0]!["shape"]!.ToJsonString());
        Assert.NotNull(results[1]!["error"]);
        Assert.Contains("999999", (string)results[2]!["error"]!);
        Assert.Equal("[2,49152]", results[3]!["shape"]!.ToJsonString());
    }

    [Fact]
    public void Run_OutOfARunThatFails_LeavesWhatWasThere()
    {
        var file = Path.Combine(_folder, "logits.f32");
        Assert.Equal(1, new FakeTerminal().Run("logits", "smollm2", "--ids", "999999", "--out", file));
        Assert.Empty(Directory.GetFiles(_folder));
        File.WriteAllText(file, "older results");
        Assert.Equal(1, new FakeTerminal().Run("logits", "smollm2", "--ids", "999999", "--out", file));
        Assert.Equal("older results", File.ReadAllText(file));
        Assert.Single(Directory.GetFiles(_folder));
        Assert.Equal(0, new FakeTerminal().Run("logits", "smollm2", "--ids", "504", "--out", file));
        Assert.Equal(49152 * sizeof(float), new FileInfo(file).Length);
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Run_OutThatIsTheModel_IsRefused()
    {
        var model = Path.Combine(_folder, "model.gguf");
        File.Copy(SmolLm2, model);
        var terminal = new FakeTerminal();
        Assert.Equal(1, terminal.Run("logits", model, "--ids", "504", "--out", model));
        Assert.Contains(model, terminal.Error);
        Assert.Equal(new FileInfo(SmolLm2).Length, new FileInfo(model).Length);
    }

    [Fact]
    public void Run_OutThatIsAFolderOrInNone_SaysWhich()
    {
        var folder = new FakeTerminal();
        Assert.Equal(3, folder.Run("logits", "smollm2", "--ids", "504", "--out", _folder));
        Assert.Contains("it is a folder", folder.Error);
        var nowhere = new FakeTerminal();
        Assert.Equal(3, nowhere.Run("logits", "smollm2", "--ids", "504", "--out", Path.Combine(_folder, "absent", "x.f32")));
        Assert.Contains("there is no such folder", nowhere.Error);
    }

    [Fact]
    public void Run_OutThatIsADevice_StaysOne()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no /dev/null.");
        Assert.Equal(0, new FakeTerminal().Run("logits", "smollm2", "--ids", "504", "--out", "/dev/null"));
        Assert.Equal(0, new FileInfo("/dev/null").Length);
    }

    [Theory]
    [InlineData("logits", "smollm2")]
    [InlineData("logits", "smollm2", "--ids", "1", "--ids-file", "x")]
    [InlineData("logits", "smollm2", "--ids", "1", "--top", "0")]
    [InlineData("logits", "smollm2", "--batch", "x")]
    public void Run_WrongCommandLine_Returns2(params string[] args) => Assert.Equal(2, new FakeTerminal().Run(args));
}
