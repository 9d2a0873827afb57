using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Files.Gguf;

public sealed class GgufFileTests
{
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public void Open_HandMadeFile_ReadsEveryField(int version, bool bigEndian)
    {
        using var folder = new TemporaryFolder();
        var raw = new RawBytes(bigEndian).Raw("GGUF"u8).U32((uint)version).U64(2).U64(2)
            .Text("general.architecture").U32(8).Text("llama")
            .Text("x.list").U32(9).U32(5).U64(3).U32(1).U32(2).U32(uint.MaxValue)
            .Text("a").U32(2).U64(2).U64(3).U32(0).U64(0)
            .Text("b.ü").U32(1).U64(4).U32(24).U64(32)
            .Pad();
        for (var i = 0; i < 6; i++)
            raw.U32(BitConverter.SingleToUInt32Bits(i + 0.5f));
        var path = folder.Write("m.gguf", raw.Pad().Raw(1, 2, 3, 4).ToArray());
        using var file = GgufFile.Open(path);
        Assert.Equal((path, version, bigEndian, new FileInfo(path).Length), (file.Path, file.Version, file.BigEndian, file.FileBytes));
        Assert.Equal(["general.architecture", "x.list"], file.Metadata.Keys);
        Assert.Equal("llama", file.Metadata.FindString("general.architecture"));
        Assert.Equal([1, 2, -1], file.Metadata.FindIntegers("x.list")!);
        Assert.Equal(["a", "b.ü"], file.Tensors.Select(tensor => tensor.Name));
        Assert.True(file.TryGetTensor("a", out var a));
        Assert.Equal((TensorType.F32, 24L, path), (a.Type, a.ByteLength, a.Path));
        Assert.Equal([2L, 3L], a.Dimensions);
        Assert.Equal([0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f], Floats(a));
        Assert.Equal(Floats(a), Floats(a));
        Assert.Equal([1, 2, 3, 4], file.GetTensor("b.ü", 4).Data.Span(0, 4).ToArray());
        Assert.False(file.TryGetTensor("c", out _));
    }

    [Fact]
    public void Open_EmptyFileWithoutPadding_HasNothing()
    {
        using var folder = new TemporaryFolder();
        using var file = GgufFile.Open(folder.Write("m.gguf", new RawBytes().Raw("GGUF"u8).U32(3).U64(0).U64(0).ToArray()));
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata.Keys);
    }

    [Fact]
    public void Open_EmptyStringsArraysAndTensors_AreThere()
    {
        using var folder = new TemporaryFolder();
        var raw = new RawBytes().Raw("GGUF"u8).U32(3).U64(2).U64(4)
            .Text("s").U32(8).Text("")
            .Text("numbers").U32(9).U32(6).U64(0)
            .Text("strings").U32(9).U32(8).U64(0)
            .Text("nested").U32(9).U32(9).U64(1).U32(9).U64(0)
            .Text("empty").U32(1).U64(0).U32(0).U64(0)
            .Text("scalar").U32(0).U32(0).U64(0)
            .Pad().U32(0x3f800000);
        using var file = GgufFile.Open(folder.Write("m.gguf", raw.ToArray()));
        Assert.Equal("", file.Metadata.FindString("s"));
        Assert.Empty(file.Metadata.FindNumbers("numbers")!);
        Assert.Equal(0, file.Metadata.FindStrings("strings")!.Count);
        Assert.True(file.Metadata.TryGet("nested", out var nested));
        Assert.Equal(0, nested.Elements().Single().Count);
        Assert.Equal(0, file.GetTensor("empty").Data.Length);
        Assert.Equal([1f], Floats(file.GetTensor("scalar")));
    }

    [Fact]
    public void Open_AlignmentKey_MovesTheTensorData()
    {
        using var folder = new TemporaryFolder();
        var raw = new RawBytes().Raw("GGUF"u8).U32(3).U64(2).U64(1)
            .Text("general.alignment").U32(4).U32(8)
            .Text("a").U32(1).U64(1).U32(24).U64(0)
            .Text("b").U32(1).U64(1).U32(24).U64(8)
            .Pad(8).Raw(7).Pad(8).Raw(9);
        using var file = GgufFile.Open(folder.Write("m.gguf", raw.ToArray()));
        Assert.Equal(7, file.GetTensor("a").Data.Span(0, 1)[0]);
        Assert.Equal(9, file.GetTensor("b").Data.Span(0, 1)[0]);
    }

    [Fact]
    public void Open_I2S_HasItsTail()
    {
        using var folder = new TemporaryFolder();
        var raw = new RawBytes().Raw("GGUF"u8).U32(3).U64(1).U64(0).Text("a").U32(2).U64(128).U64(2).U32(36).U64(0).Pad().Zeros(64 + 32);
        using var file = GgufFile.Open(folder.Write("m.gguf", raw.ToArray()));
        Assert.Equal(96, file.GetTensor("a").Data.Length);
    }

    [Fact]
    public void Open_MissingFile_IsNotFound()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<FileNotFoundException>(() => GgufFile.Open(folder["none.gguf"]));
        Assert.Throws<FileNotFoundException>(() => GgufFile.Open(folder["none/none.gguf"]));
    }

    [Fact]
    public void Open_Folder_SaysWhatWasLookedFor()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("GGUF file", Assert.Throws<ModelFormatException>(() => GgufFile.Open(folder.ToString())).Message);
    }

    [Fact]
    public void GetTensor_MissingOrOfAnotherShape_Fails()
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        writer.AddTensor("a", TensorType.F32, [2, 3], stream => stream.Write(new byte[24]));
        writer.Write(folder["m.gguf"], TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["m.gguf"]);
        Assert.Equal("a", file.GetTensor("a").Name);
        Assert.Equal("a", file.GetTensor("a", 2, 3).Name);
        Assert.Equal($"{folder["m.gguf"]}: tensor 'b' is missing", Assert.Throws<ModelFormatException>(() => file.GetTensor("b")).Message);
        Assert.Equal($"{folder["m.gguf"]}: tensor 'a' at byte 96: its dimensions are [2, 3], expected [3, 2]", Assert.Throws<ModelFormatException>(() => file.GetTensor("a", 3, 2)).Message);
    }

    internal static float[] Floats(GgufTensor tensor) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.Data.Span(0, (int)tensor.Data.Length)).ToArray();
}
