using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Files.Gguf;

public sealed class GgufSplitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public GgufSplitTests()
    {
        for (var part = 0; part < 3; part++)
            Write(part, part, 3, 3, $"t{part}");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Open_AnyPart_HasAllTensorsInOrder(int part)
    {
        using var file = GgufFile.Open(Name(part));
        Assert.Equal(["t0", "t1", "t2"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("part 0", file.Metadata.FindString("general.name"));
        Assert.Equal(Name(1), file.GetTensor("t1").Path);
        Assert.Equal(new FileInfo(Name(0)).Length * 3, file.FileBytes);
    }

    [Fact]
    public void Open_MissingPart_NamesItsPath()
    {
        File.Delete(Name(1));
        Fails(0, $"part 2 of 3 is missing; it was looked for at {Name(1)}");
        Fails(2, $"part 2 of 3 is missing; it was looked for at {Name(1)}");
    }

    [Fact]
    public void Open_SwappedParts_NamesBothPlaces()
    {
        File.Move(Name(1), _folder["x"]);
        File.Move(Name(2), Name(1));
        File.Move(_folder["x"], Name(2));
        Fails(0, $"{Name(1)}: by metadata 'split.no' and 'split.count' it is part 3 of 3, by its name part 2 of 3");
        Fails(1, "part 3 of 3");
    }

    [Fact]
    public void Open_PartOfAnotherSplit_Fails()
    {
        Write(1, 1, 4, 3, "t1");
        Fails(0, "part 2 of 4, by its name part 2 of 3");
    }

    [Fact]
    public void Open_UnsplitFileAsPart_Fails()
    {
        new GgufWriter().Write(Name(1), TestContext.Current.CancellationToken);
        Fails(0, "no part of a split");
    }

    [Fact]
    public void Open_WrongTensorCount_Fails()
    {
        Write(0, 0, 3, 5, "t0");
        Fails(0, "metadata 'split.tensors.count' is 5, but the 3 parts have 3 tensors");
    }

    [Fact]
    public void Open_TensorInTwoParts_Fails()
    {
        Write(1, 1, 3, 3, "t0");
        Fails(0, "tensor 't0' at byte");
    }

    [Fact]
    public void Open_RenamedPart_SaysHowItMustBeCalled()
    {
        File.Move(Name(0), _folder["model.gguf"]);
        Assert.Contains("must end in -00001-of-00003.gguf", Assert.Throws<ModelFormatException>(() => GgufFile.Open(_folder["model.gguf"])).Message);
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(-1, 3)]
    [InlineData(0, 70000)]
    public void Open_ImpossibleNumbers_Fails(int number, int count)
    {
        Write(0, number, count, 3, "t0");
        Fails(0, "'split.no' is");
    }

    private string Name(int part) => _folder[$"m-0000{part + 1}-of-00003.gguf"];

    private void Fails(int part, string what) =>
        Assert.Contains(what, Assert.Throws<ModelFormatException>(() => GgufFile.Open(Name(part))).Message);

    private void Write(int part, int number, int count, int tensors, string tensor)
    {
        var writer = new GgufWriter();
        writer.Add("general.name", $"part {part}");
        writer.Add("split.no", number);
        writer.Add("split.count", count);
        writer.Add("split.tensors.count", tensors);
        writer.AddTensor(tensor, TensorType.F32, [4], stream => stream.Write(new byte[16]));
        writer.Write(Name(part), TestContext.Current.CancellationToken);
    }
}
