using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Tests.Weights;

public sealed class RwkvCppSourceTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Open_OfAFile_FindsTensorsAndSizes()
    {
        Write(new() { Tensors = [("blocks.0.att.r_k", 0, [4, 2], 32), ("emb.weight", 0, [8, 3], 96)] });
        using var source = ModelSource.Open(_path);
        Assert.IsType<RwkvCppSource>(source);
        Assert.Equal(["rwkv7"], source.ArchitectureNames);
        Assert.Equal(4, source.Parameters.Int("", "head_size"));
        Assert.Equal(8, source.Parameters.Int("", "hidden_size"));
        var tensor = source.Find("emb.weight")!;
        Assert.Equal([3, 8], tensor.Shape);
        Assert.Equal(TensorType.F32, tensor.Type);
        Assert.Equal(96, tensor.Data.Length);
    }

    [Theory]
    [InlineData("is no file of rwkv.cpp", 100, 0, 4, 32)]
    [InlineData("tensor type 5 is not known", 101, 5, 4, 32)]
    [InlineData("needs 32 bytes, 31 are left", 101, 0, 4, 31)]
    [InlineData("rows of 0", 101, 0, 0, 32)]
    [InlineData("rows of 4, which are no blocks of Q5_1", 101, 8, 4, 32)]
    [InlineData("bytes, 32 are left", 101, 0, -1, 32)]
    public void Open_OfADamagedFile_SaysWhere(string message, int version, int type, int columns, int bytes)
    {
        Write(new() { Version = version, Tensors = [("blocks.0.att.r_k", type, [columns, 2], bytes)] });
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => ModelSource.Open(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAnotherGeneration_SaysWhichIsRead()
    {
        Write(new() { Tensors = [("emb.weight", 0, [8, 3], 96)] });
        Assert.Contains("RWKV 7", Assert.Throws<ModelFormatException>(() => ModelSource.Open(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfATensorTwice_Refuses()
    {
        Write(new() { Tensors = [("emb.weight", 0, [8, 3], 96), ("emb.weight", 0, [8, 3], 96)] });
        Assert.Contains("twice", Assert.Throws<ModelFormatException>(() => ModelSource.Open(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfACutFile_NeverFailsOtherwise()
    {
        Write(new() { Tensors = [("blocks.0.att.r_k", 0, [4, 2], 32)] });
        var whole = File.ReadAllBytes(_path);
        for (var length = 4; length < whole.Length; length++)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Assert.Throws<ModelFormatException>(() => ModelSource.Open(_path));
        }
    }

    private void Write(Content content)
    {
        using var writer = new BinaryWriter(File.Create(_path));
        foreach (var number in (int[])[0x67676d66, content.Version, 3, 8, 1, 0])
            writer.Write(number);
        foreach (var (name, type, dimensions, bytes) in content.Tensors)
        {
            foreach (var number in (int[])[dimensions.Length, name.Length, type, .. dimensions])
                writer.Write(number);
            writer.Write(Encoding.ASCII.GetBytes(name));
            writer.Write(new byte[bytes]);
        }
    }

    private sealed record Content
    {
        public int Version { get; init; } = 101;

        public (string Name, int Type, int[] Dimensions, int Bytes)[] Tensors { get; init; } = [];
    }
}
