using System.Text.Json;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Files.Safetensors;

public sealed class SafetensorsModelTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";
    private const string Index = "model.safetensors.index.json";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_HandMadeFile_ReadsEveryField()
    {
        var header = $"{{\"__metadata__\":{{\"format\":\"pt\"}},{SafetensorsHostileTests.Entry("b\\u00e9", "I16", "[1,2]", 3, 7)},{SafetensorsHostileTests.Entry("a", "U8", "[3]", 0, 3)},{SafetensorsHostileTests.Entry("none", "F64", "[0,9]", 7, 7)}}}  ";
        var bytes = SafetensorsHostileTests.With(header, 7);
        bytes[^7] = 42;
        bytes[^1] = 43;
        using var model = SafetensorsModel.Open(_folder.Write("m.safetensors", bytes));
        Assert.Equal(["bé", "a", "none"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("pt", model.Metadata["format"]);
        Assert.Equal(bytes.Length, model.FileBytes);
        Assert.Equal(42, model.GetTensor("a", 3).Data.Span(0, 3)[0]);
        Assert.Equal(43, model.GetTensor("bé", 1, 2).Data.Span(0, 4)[3]);
        Assert.Equal(0, model.GetTensor("none").Data.Length);
        Assert.False(model.TryGetTensor("__metadata__", out _));
    }

    [Fact]
    public void Open_MissingPath_IsNotFound()
    {
        Assert.Throws<FileNotFoundException>(() => SafetensorsModel.Open(_folder["none.safetensors"]));
        Assert.Throws<FileNotFoundException>(() => SafetensorsModel.Open(_folder["none/none"]));
    }

    [Fact]
    public void Open_FolderOfGgufFiles_NamesOne()
    {
        var gguf = _folder.Write("m.gguf", [1]);
        var message = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder.ToString())).Message;
        Assert.EndsWith($"name the file that is meant, such as {gguf}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderWithoutModel_SaysWhatWasLookedFor()
    {
        var message = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder.ToString())).Message;
        Assert.Contains("model.safetensors, model.safetensors.index.json and any other .safetensors file were looked for", message);
        _folder.Write("a.safetensors", Small.Safetensors());
        using (var model = SafetensorsModel.Open(_folder.ToString()))
            Assert.Equal(5, model.Tensors.Count);
        _folder.Write("b.safetensors", Small.Safetensors());
        message = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder.ToString())).Message;
        Assert.Contains("has 2 .safetensors files", message);
    }

    [Theory]
    [InlineData(First, true)]
    [InlineData(Second, true)]
    [InlineData(Index, true)]
    [InlineData("", true)]
    [InlineData(First, false)]
    [InlineData(Second, false)]
    [InlineData("", false)]
    public void Open_ShardsByAnyName_HasAllTensors(string name, bool withIndex)
    {
        WriteShards();
        if (!withIndex)
            File.Delete(_folder[Index]);
        using var model = SafetensorsModel.Open(name.Length == 0 ? _folder.ToString() : _folder[name]);
        Assert.Equal(["a", "b", "c"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(_folder[Second], model.GetTensor("c").Path);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_MissingShard_NamesIt(bool withIndex)
    {
        WriteShards();
        File.Delete(_folder[Second]);
        if (!withIndex)
            File.Delete(_folder[Index]);
        var message = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder[First])).Message;
        Assert.Contains("missing", message);
        Assert.Contains(_folder[Second], message);
    }

    [Fact]
    public void Open_SwappedShards_NamesTensorAndShard()
    {
        WriteShards();
        File.Move(_folder[First], _folder["x"]);
        File.Move(_folder[Second], _folder[First]);
        File.Move(_folder["x"], _folder[Second]);
        Fails($"'weight_map' says that {First} has tensor 'a', but it has not");
    }

    [Fact]
    public void Open_TensorInTwoShards_Fails()
    {
        WriteShards();
        File.Copy(_folder[First], _folder[Second], overwrite: true);
        File.Delete(_folder[Index]);
        var message = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder[First])).Message;
        Assert.Contains("tensor 'a' at byte", message);
    }

    [Theory]
    [InlineData("{}", "'weight_map' is missing")]
    [InlineData("{\"weight_map\":{}}", "'weight_map' is empty")]
    [InlineData("{\"weight_map\":7}", "index, 'weight_map' at byte 14: expected an object, found a number")]
    [InlineData("{\"weight_map\":{\"a\":1}}", "index, 'a', 'weight_map' at byte 19: expected a string")]
    [InlineData("{\"weight_map\":{\"a\":\"../x\"}}", "'../x' is no name of a file beside the index")]
    [InlineData("{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "is no name of a file beside the index")]
    [InlineData("{\"weight_map\":{\"a\":\"..\"}}", "is no name of a file beside the index")]
    [InlineData("{\"weight_map\":{\"a\":\"x\\u0000\"}}", "is no name of a file beside the index")]
    [InlineData("{\"weight_map\":{\"a\":\"none.safetensors\"}}", "none.safetensors is missing")]
    [InlineData("{\"weight_map\":{\"a\":\"x\",\"a\":\"x\"}}", "there twice")]
    [InlineData("{\"weight_map\":{\"a\":\"x\"},\"weight_map\":{\"a\":\"x\"}}", "there twice")]
    [InlineData("{\"weight_map\":{\"a\":\"x\"}", "no valid JSON")]
    [InlineData("[[[[[[[[[[[[", "expected an object, found an array")]
    [InlineData("", "no valid JSON")]
    public void Open_HostileIndex_FailsInOneLine(string index, string what)
    {
        _folder.Write(Index, System.Text.Encoding.UTF8.GetBytes(index));
        Fails(what);
    }

    [Fact]
    public void Open_HugeIndex_Fails()
    {
        using (var file = File.Create(_folder[Index]))
            file.SetLength(1L << 34);
        Fails("an index of 17179869184 bytes is too large");
    }

    [Fact]
    public void GetTensor_MissingOrOfAnotherShape_Fails()
    {
        WriteShards();
        using var model = SafetensorsModel.Open(_folder.ToString());
        Assert.Contains("tensor 'z' is missing", Assert.Throws<ModelFormatException>(() => model.GetTensor("z")).Message);
        var message = Assert.Throws<ModelFormatException>(() => model.GetTensor("b", 2, 1)).Message;
        Assert.StartsWith($"{_folder[First]}: tensor 'b' at byte", message);
        Assert.EndsWith("its shape is [1, 2], expected [2, 1]", message);
    }

    [Fact]
    public void WriteSharded_Index_NamesSizesAndShards()
    {
        WriteShards();
        Assert.Equal([First, Second, Index], _folder.Files);
        using var index = JsonDocument.Parse(File.ReadAllText(_folder[Index]));
        Assert.Equal(32, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        Assert.Equal(Second, index.RootElement.GetProperty("weight_map").GetProperty("c").GetString());
    }

    private void Fails(string what)
    {
        var failure = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Open(_folder[Index]));
        Assert.StartsWith(_folder[Index], failure.Message);
        Assert.Contains(what, failure.Message);
        Assert.DoesNotContain(failure.Message, char.IsControl);
    }

    private void WriteShards()
    {
        var writer = new SafetensorsWriter();
        writer.AddTensor("a", TensorType.F32, [2], stream => stream.Write(new byte[8]));
        writer.AddTensor("b", TensorType.F32, [1, 2], stream => stream.Write(new byte[8]));
        writer.AddTensor("c", TensorType.F64, [2], stream => stream.Write(new byte[16]));
        writer.WriteSharded(_folder.ToString(), 16, TestContext.Current.CancellationToken);
    }
}
