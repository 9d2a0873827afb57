using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;

namespace OpenHearth.Engine.Tests.Files.Gguf;

public sealed class GgufMetadataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GgufFile _file;

    public GgufMetadataTests()
    {
        var writer = new GgufWriter();
        writer.Add("text", "héllo");
        writer.Add("integer", -7);
        writer.Add("huge", ulong.MaxValue);
        writer.Add("number", 1.5f);
        writer.Add("truth", true);
        writer.Add("texts", new[] { "a", "", "ü€" });
        writer.Add("longs", new[] { 1L, -2L, 1L << 40 });
        writer.Add("shorts", new short[] { 1, -2 });
        writer.Add("bytes", new byte[] { 1, 255 });
        writer.Add("doubles", new[] { 0.5, 2.0 });
        writer.Add("truths", new[] { true, false });
        writer.Write(_folder["m.gguf"], TestContext.Current.CancellationToken);
        _file = GgufFile.Open(_folder["m.gguf"]);
    }

    private GgufMetadata Metadata => _file.Metadata;

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Find_RightKind_GivesTheValue()
    {
        Assert.Equal("héllo", Metadata.FindString("text"));
        Assert.Equal(-7, Metadata.FindInteger("integer"));
        Assert.Equal(-7.0, Metadata.FindNumber("integer"));
        Assert.Equal(1.5, Metadata.FindNumber("number"));
        Assert.Equal((double)ulong.MaxValue, Metadata.FindNumber("huge"));
        Assert.True(Metadata.FindBoolean("truth"));
        Assert.Equal(["a", "", "ü€"], Metadata.FindStrings("texts")!.ToArray());
        Assert.Equal("ü€"u8.ToArray(), Metadata.FindStrings("texts")![2].ToArray());
        Assert.Equal([1, -2], Metadata.FindIntegers("shorts")!);
        Assert.Equal([1, 255], Metadata.FindIntegers("bytes")!);
        Assert.Equal(new byte[] { 1, 255 }, Metadata.FindBytes("bytes")!);
        Assert.Equal([0.5f, 2f], Metadata.FindNumbers("doubles")!);
        Assert.Equal([true, false], Metadata.FindBooleans("truths")!);
    }

    [Fact]
    public void Find_AbsentKey_GivesNull()
    {
        Assert.Null(Metadata.FindString("none"));
        Assert.Null(Metadata.FindInteger("none"));
        Assert.Null(Metadata.FindNumber("none"));
        Assert.Null(Metadata.FindBoolean("none"));
        Assert.Null(Metadata.FindStrings("none"));
        Assert.Null(Metadata.FindIntegers("none"));
        Assert.Null(Metadata.FindNumbers("none"));
        Assert.Null(Metadata.FindBytes("none"));
        Assert.Null(Metadata.FindBooleans("none"));
        Assert.Equal($"{_file.Path}: metadata has no 'none'", Metadata.Missing("none").Message);
    }

    [Theory]
    [InlineData("integer", nameof(GgufMetadata.FindString), "expected a string, found Int32 '-7'")]
    [InlineData("text", nameof(GgufMetadata.FindInteger), "expected an integer, found String 'héllo'")]
    [InlineData("number", nameof(GgufMetadata.FindInteger), "expected an integer, found Float32 '1.5'")]
    [InlineData("huge", nameof(GgufMetadata.FindInteger), "18446744073709551615 is too large")]
    [InlineData("truth", nameof(GgufMetadata.FindNumber), "expected a number, found Bool 'true'")]
    [InlineData("integer", nameof(GgufMetadata.FindBoolean), "expected true or false, found Int32 '-7'")]
    [InlineData("longs", nameof(GgufMetadata.FindStrings), "expected an array of strings, found an array of 3 Int64")]
    [InlineData("texts", nameof(GgufMetadata.FindIntegers), "expected an array of integers, found an array of 3 String")]
    [InlineData("integer", nameof(GgufMetadata.FindIntegers), "expected an array of integers, found Int32 '-7'")]
    [InlineData("longs", nameof(GgufMetadata.FindIntegers), "1099511627776 does not fit 32 bits")]
    [InlineData("truths", nameof(GgufMetadata.FindNumbers), "expected an array of numbers, found an array of 2 Bool")]
    [InlineData("shorts", nameof(GgufMetadata.FindBytes), "expected an array of 8-bit integers, found an array of 2 Int16")]
    [InlineData("bytes", nameof(GgufMetadata.FindBooleans), "expected an array of true or false, found an array of 2 UInt8")]
    public void Find_WrongKind_NamesFileKeyAndBoth(string key, string getter, string what)
    {
        var call = typeof(GgufMetadata).GetMethod(getter)!;
        var failure = Assert.Throws<System.Reflection.TargetInvocationException>(() => call.Invoke(Metadata, [key])).InnerException;
        var message = Assert.IsType<ModelFormatException>(failure).Message;
        Assert.StartsWith($"{_file.Path}: metadata '{key}'", message);
        Assert.EndsWith(what, message);
        Assert.DoesNotContain('\n', message);
    }
}
