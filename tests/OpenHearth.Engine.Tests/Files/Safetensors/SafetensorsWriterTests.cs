using OpenHearth.Engine.Files.Safetensors;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests.Files.Safetensors;

public sealed class SafetensorsWriterTests
{
    private static readonly TensorType[] Types =
    [
        TensorType.F64, TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.F8_E4M3, TensorType.F8_E5M2,
        TensorType.I64, TensorType.I32, TensorType.I16, TensorType.I8, TensorType.U64, TensorType.U32, TensorType.U16,
        TensorType.U8, TensorType.Bool,
    ];

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(40, 5)]
    [InlineData(1, 15)]
    public void Write_EveryType_ReadsBackAligned(long shardBytes, int shards)
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter();
        writer.Metadata["format"] = "pt";
        writer.Metadata["ü\""] = "\n";
        foreach (var type in Types)
            writer.AddTensor($"t.{type}", type, [3, 1], stream => stream.Write(Bytes(type)));
        writer.WriteSharded(folder.ToString(), shardBytes, TestContext.Current.CancellationToken);
        Assert.Equal(shards, folder.Files.Count(file => file.EndsWith(".safetensors", StringComparison.Ordinal)));
        using var model = SafetensorsModel.Open(folder.ToString());
        Assert.Equal(Types.Length, model.Tensors.Count);
        Assert.Equal(("pt", "\n"), (model.Metadata["format"], model.Metadata["ü\""]));
        foreach (var type in Types)
        {
            var tensor = model.GetTensor($"t.{type}", 3, 1);
            Assert.Equal(type, tensor.Type);
            Assert.Equal(Bytes(type), tensor.Data.Span(0, (int)tensor.Data.Length).ToArray());
            Assert.Equal(0, tensor.Offset % TensorTypes.BlockBytes(type));
        }
    }

    [Fact]
    public void Write_RegionOfMemory_ReadsBack()
    {
        using var folder = new TemporaryFolder();
        using var data = new NativeBuffer<float>(700_000);
        for (var i = 0; i < data.Length; i++)
            data.Span[i] = i;
        var writer = new SafetensorsWriter();
        writer.AddTensor("a", TensorType.F32, [7, 100_000], MemoryRegion.Of(data));
        writer.Write(folder["m.safetensors"], TestContext.Current.CancellationToken);
        using var model = SafetensorsModel.Open(folder["m.safetensors"]);
        var region = model.GetTensor("a").Data;
        Assert.True(region.Span(0, (int)region.Length).SequenceEqual(MemoryRegion.Of(data).Span(0, 2_800_000)));
    }

    [Fact]
    public void WriteSharded_LastSourceFails_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter();
        writer.AddTensor("a", TensorType.F32, [1], stream => stream.Write(new byte[4]));
        writer.AddTensor("b", TensorType.F32, [1], _ => throw new IOException("disk"));
        Assert.Throws<IOException>(() => writer.WriteSharded(folder.ToString(), 4, TestContext.Current.CancellationToken));
        Assert.Empty(folder.Files);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void WriteSharded_WhereASmallFileCantBe_KeepsTheTensorsToGoOnWith(long shardBytes)
    {
        using var folder = new TemporaryFolder();
        folder.Write("taken", []);
        var asked = 0;
        var writer = new SafetensorsWriter();
        foreach (var name in (string[])["a", "b"])
        {
            writer.AddTensor(name, TensorType.F32, [1], stream =>
            {
                asked++;
                stream.Write(new byte[4]);
            });
        }
        KeyValuePair<string, byte[]>[] beside = [new("first.json", [1]), new("taken/second.json", [2])];
        Assert.False(SafetensorsWriter.HasBegun(folder.ToString()));
        Assert.Throws<IOException>(() => writer.WriteSharded(folder.ToString(), shardBytes, "here", beside, TestContext.Current.CancellationToken));
        Assert.True(SafetensorsWriter.HasBegun(folder.ToString()));
        Assert.All(folder.Files, file => Assert.True(file == "taken" || file.EndsWith(".partial", StringComparison.Ordinal), file));
        File.Delete(folder["taken"]);
        writer.WriteSharded(folder.ToString(), shardBytes, "here", beside, TestContext.Current.CancellationToken);
        Assert.Equal(2, asked);
        Assert.False(SafetensorsWriter.HasBegun(folder.ToString()));
        Assert.Equal([1], File.ReadAllBytes(folder["first.json"]));
        Assert.Equal([2], File.ReadAllBytes(folder["taken/second.json"]));
        using var model = SafetensorsModel.Open(folder.ToString());
        Assert.Equal(2, model.Tensors.Count);
    }

    [Fact]
    public void Write_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter();
        writer.AddTensor("a", TensorType.F32, [1], stream => stream.Write(new byte[4]));
        Assert.Throws<OperationCanceledException>(() => writer.Write(folder["m.safetensors"], new CancellationToken(true)));
        Assert.Throws<OperationCanceledException>(() => writer.WriteSharded(folder.ToString(), 4, new CancellationToken(true)));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void AddTensor_WhatTheFormatHasNot_IsRefused()
    {
        var writer = new SafetensorsWriter();
        writer.AddTensor("a", TensorType.F32, [1], _ => { });
        Assert.Throws<ArgumentException>(() => writer.AddTensor("a", TensorType.F32, [1], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("__metadata__", TensorType.F32, [1], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("b", TensorType.Q4_0, [32], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("c", TensorType.F32, [-1], _ => { }));
        Assert.Throws<OverflowException>(() => writer.AddTensor("d", TensorType.F32, [1L << 40, 1L << 40], _ => { }));
        using var data = new NativeBuffer<byte>(5);
        Assert.Throws<ArgumentException>(() => writer.AddTensor("e", TensorType.F32, [1], MemoryRegion.Of(data)));
    }

    private static byte[] Bytes(TensorType type)
    {
        var bytes = new byte[3 * TensorTypes.BlockBytes(type)];
        new Random((int)type).NextBytes(bytes);
        return bytes;
    }
}
