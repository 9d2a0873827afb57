using OpenHearth.Cli.Models;

namespace OpenHearth.Cli.Tests.Models;

public sealed class ModelReferenceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hearth-models-").FullName;
    private readonly ModelReference _references;

    public ModelReferenceTests()
    {
        File.WriteAllText(Path.Combine(_folder, "SmolLM2-135M-Instruct.Q4_1.gguf"), "");
        File.WriteAllText(Path.Combine(_folder, "Tiny.gguf"), "");
        _references = new ModelReference([_folder, Path.Combine(_folder, "absent")]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("smollm2")]
    [InlineData("SmolLM2")]
    [InlineData("smollm2:135m")]
    [InlineData("smollm2:135m-instruct")]
    [InlineData("smollm2:135m-instruct-q4_1")]
    public void Resolve_NameOrTag_IsTheFile(string reference) =>
        Assert.Equal(Path.Combine(_folder, "SmolLM2-135M-Instruct.Q4_1.gguf"), _references.Resolve(reference));

    [Fact]
    public void Resolve_Path_IsTheFullPath()
    {
        var path = Path.Combine(_folder, "Tiny.gguf");
        Assert.Equal(path, _references.Resolve(path));
        Assert.Equal(_folder, _references.Resolve(_folder));
    }

    [Theory]
    [InlineData("smolm2", "Did you mean 'smollm2'?")]
    [InlineData("smollm", "Did you mean 'smollm2'?")]
    [InlineData("smollm2:136m-instruct-q4_1", "Did you mean 'smollm2:135m-instruct-q4_1'?")]
    [InlineData("tiny-nope-nope", "There is smollm2:135m-instruct-q4_1, tiny;")]
    [InlineData("smollm2:13", "There is no model")]
    [InlineData("", "There is no model")]
    public void Resolve_UnknownName_Suggests(string reference, string expected)
    {
        var failure = Assert.Throws<Failure>(() => _references.Resolve(reference));
        Assert.Equal(3, failure.ExitCode);
        Assert.Contains(expected, failure.Message);
    }

    [Fact]
    public void Resolve_MissingFile_SuggestsItsNeighbour()
    {
        var failure = Assert.Throws<Failure>(() => _references.Resolve(Path.Combine(_folder, "Tinny.gguf")));
        Assert.Equal(3, failure.ExitCode);
        Assert.Contains($"Did you mean {Path.Combine(_folder, "Tiny.gguf")}?", failure.Message);
    }

    [Theory]
    [InlineData("no/such/folder/model.gguf")]
    [InlineData("./model.bin")]
    [InlineData("model.safetensors")]
    public void Resolve_MissingPath_Returns3(string reference) =>
        Assert.Equal(3, Assert.Throws<Failure>(() => _references.Resolve(reference)).ExitCode);

    [Theory]
    [InlineData("/m/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2:135m-instruct-q4_1")]
    [InlineData("Tiny.gguf", "tiny")]
    [InlineData("-odd.gguf", "-odd")]
    public void NameOf_File_IsNameAndTag(string path, string expected) => Assert.Equal(expected, ModelReference.NameOf(path));

    [Fact]
    public void OfProgram_FindsTheBuiltInModel() => Assert.EndsWith("SmolLM2-135M-Instruct.Q4_1.gguf", ModelReference.OfProgram().Resolve("smollm2"), StringComparison.Ordinal);
}
