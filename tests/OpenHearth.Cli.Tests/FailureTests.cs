using OpenHearth.Engine.Files;

namespace OpenHearth.Cli.Tests;

public sealed class FailureTests
{
    public static TheoryData<Exception, int> Cases => new()
    {
        { Failure.WrongCommandLine("x"), 2 },
        { Failure.NotFound("x"), 3 },
        { new FileNotFoundException("no", "model.gguf"), 3 },
        { new DirectoryNotFoundException("no"), 3 },
        { new ModelFormatException("model.gguf: damaged"), 1 },
        { new NotSupportedException("architecture 'x' is not supported"), 1 },
        { new InsufficientMemoryException(), 1 },
        { new IOException("disk full"), 1 },
        { new UnauthorizedAccessException("no"), 1 },
        { new OperationCanceledException(), 130 },
        { new InvalidOperationException("bug"), 1 },
        { new NotFiniteNumberException("no number"), 1 },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void From_AnyException_GivesExitCodeAndOneLine(Exception thrown, int exitCode)
    {
        var failure = Failure.From(thrown);
        Assert.Equal(exitCode, failure.ExitCode);
        Assert.NotEmpty(failure.Message);
        Assert.DoesNotContain("   at ", failure.Message);
    }

    [Fact]
    public void From_MissingFile_NamesIt() =>
        Assert.Equal("There is no file model.gguf.", Failure.From(new FileNotFoundException("no", "model.gguf")).Message);

    [Fact]
    public void From_FullDisk_SaysWhatToDo() =>
        Assert.Equal("No space left. Make room and give the same command again.", Failure.From(new IOException("No space left", 28)).Message);

    [Fact]
    public void From_TooLongAContext_AddsNoOptionThatTheCommandMayNotHave() =>
        Assert.Equal("Too long.", Failure.From(new Engine.ContextOverflowException("Too long.")).Message);

    [Fact]
    public void From_NumbersThatBrokeDown_IsNoBugToReport() => Assert.Equal("NaN.", Failure.From(new NotFiniteNumberException("NaN.")).Message);

    [Fact]
    public void From_FileThatIsNoModel_SaysWhatIs() =>
        Assert.Equal(
            "x.gguf: the file has 0 bytes. A model is a whole GGUF file or a folder of safetensors files; fetch or convert it again if it should be one.",
            Failure.From(new ModelFormatException("x.gguf: the file has 0 bytes")).Message);
}
