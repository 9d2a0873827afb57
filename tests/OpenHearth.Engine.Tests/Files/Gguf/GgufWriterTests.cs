using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Tests.Files.Gguf;

public sealed class GgufWriterTests
{
    private static readonly Dictionary<string, object> Values = new()
    {
        ["u8"] = byte.MaxValue,
        ["i8"] = sbyte.MinValue,
        ["u16"] = ushort.MaxValue,
        ["i16"] = short.MinValue,
        ["u32"] = uint.MaxValue,
        ["i32"] = int.MinValue,
        ["f32"] = -1.5f,
        ["bool"] = true,
        ["string"] = "grüße\n\0",
        ["u64"] = ulong.MaxValue,
        ["i64"] = long.MinValue,
        ["f64"] = double.Epsilon,
        ["empty"] = "",
        ["u8s"] = new byte[] { 1, 2 },
        ["i8s"] = new sbyte[] { -1, 2 },
        ["u16s"] = new ushort[] { 1, 65535 },
        ["i16s"] = new short[] { -1, 2 },
        ["u32s"] = new uint[] { 1, 2 },
        ["i32s"] = new[] { -1, 2 },
        ["f32s"] = new[] { -1f, 2f },
        ["bools"] = new[] { true, false },
        ["strings"] = new[] { "a", "", "ü" },
        ["u64s"] = new[] { 1UL },
        ["i64s"] = new[] { -1L },
        ["f64s"] = new[] { -1.0, 2.0 },
        ["none"] = Array.Empty<float>(),
        ["nested"] = new[] { new[] { 1, 2 }, [], [3] },
        ["deep"] = new[] { new[] { new[] { "x" }, ["y", "z"] } },
    };

    [Theory]
    [InlineData(2, false, 32)]
    [InlineData(3, false, 32)]
    [InlineData(3, false, 64)]
    [InlineData(2, true, 32)]
    [InlineData(3, true, 8)]
    public void Write_EveryType_ReadsBack(int version, bool bigEndian, int alignment)
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter(version, bigEndian, alignment);
        foreach (var (key, value) in Values)
            writer.Add(key, value);
        AddTensors(writer);
        writer.Write(folder["m.gguf"], TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["m.gguf"]);
        Assert.Equal((version, bigEndian), (file.Version, file.BigEndian));
        Check(file, alignment);
        Assert.Equal(["m.gguf"], folder.Files);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Write_ValuesAndTensorsOfAnotherFile_AreTheSame(bool fromBigEndian, bool toBigEndian)
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter(3, fromBigEndian);
        foreach (var (key, value) in Values)
            writer.Add(key, value);
        AddTensors(writer);
        writer.Write(folder["from.gguf"], TestContext.Current.CancellationToken);
        using (var from = GgufFile.Open(folder["from.gguf"]))
        {
            var copy = new GgufWriter(3, toBigEndian);
            foreach (var key in from.Metadata.Keys)
            {
                Assert.True(from.Metadata.TryGet(key, out var value));
                copy.Add(key, value);
            }
            foreach (var tensor in from.Tensors)
                copy.AddTensor(tensor.Name, tensor.Type, [.. tensor.Dimensions], tensor.Data);
            copy.Write(folder["to.gguf"], TestContext.Current.CancellationToken);
        }
        using var to = GgufFile.Open(folder["to.gguf"]);
        Assert.Equal(toBigEndian, to.BigEndian);
        Check(to, 32);
    }

    [Fact]
    public void Write_TensorThatSpansManyPieces_SwapsEveryBlock()
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter(3, bigEndian: true);
        // 110-byte blocks: no power of two, so pieces and writes end within blocks.
        var data = Bytes(110 * 2000, 5);
        writer.AddTensor("q3", TensorType.Q3_K, [256 * 2000], stream =>
        {
            for (var done = 0; done < data.Length; done += 777)
                stream.Write(data, done, Math.Min(777, data.Length - done));
        });
        writer.Write(folder["m.gguf"], TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(folder["m.gguf"]);
        Assert.Equal(data, file.GetTensor("q3").Data.Span(0, data.Length).ToArray());
        var raw = File.ReadAllBytes(folder["m.gguf"]).AsSpan((int)file.GetTensor("q3").Offset);
        Assert.Equal((data[0], data[109], data[108]), (raw[0], raw[108], raw[109]));
    }

    [Fact]
    public void Write_SourceFails_LeavesTheOlderFileAlone()
    {
        using var folder = new TemporaryFolder();
        folder.Write("m.gguf", [1, 2, 3]);
        var writer = new GgufWriter();
        writer.AddTensor("a", TensorType.F32, [1], _ => throw new IOException("disk"));
        Assert.Equal("disk", Assert.Throws<IOException>(() => writer.Write(folder["m.gguf"], TestContext.Current.CancellationToken)).Message);
        Assert.Equal(["m.gguf"], folder.Files);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(folder["m.gguf"]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void Write_SourceOfAnotherLength_Fails(int length)
    {
        using var folder = new TemporaryFolder();
        var writer = new GgufWriter();
        writer.AddTensor("a", TensorType.F32, [1], stream => stream.Write(new byte[length]));
        Assert.Contains("tensor a", Assert.Throws<InvalidOperationException>(() => writer.Write(folder["m.gguf"], TestContext.Current.CancellationToken)).Message);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Write_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        var writer = new GgufWriter();
        writer.AddTensor("a", TensorType.F32, [1], stream =>
        {
            cancel.Cancel();
            stream.Write(new byte[4]);
        });
        Assert.Throws<OperationCanceledException>(() => writer.Write(folder["m.gguf"], cancel.Token));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Add_WhatTheFormatHasNot_IsRefused()
    {
        var writer = new GgufWriter();
        writer.Add("a", 1);
        Assert.Throws<ArgumentException>(() => writer.Add("a", 2));
        Assert.Throws<ArgumentException>(() => writer.Add("general.alignment", 64u));
        Assert.Throws<ArgumentException>(() => writer.Add("b", 1m));
        Assert.Throws<ArgumentException>(() => writer.Add("c", DayOfWeek.Friday));
        Assert.Throws<ArgumentException>(() => writer.Add("d", new object[] { 1 }));
        writer.AddTensor("t", TensorType.Q8_0, [32], _ => { });
        Assert.Throws<ArgumentException>(() => writer.AddTensor("t", TensorType.F32, [1], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("u", TensorType.Q8_0, [33], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("v", TensorType.F8_E4M3, [1], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", TensorType.F32, [1, 1, 1, 1, 1], _ => { }));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("x", TensorType.F32, [-1], _ => { }));
        using var data = new NativeBuffer<byte>(5);
        Assert.Throws<ArgumentException>(() => writer.AddTensor("y", TensorType.F32, [1], MemoryRegion.Of(data)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GgufWriter(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GgufWriter(alignment: 48));
    }

    private static void AddTensors(GgufWriter writer)
    {
        foreach (var type in Enum.GetValues<TensorType>().Where(type => (int)type < 1000))
        {
            var (columns, bytes) = Shape(type);
            writer.AddTensor(type.ToString(), type, [columns, 3], stream => stream.Write(bytes));
        }
        writer.AddTensor("empty", TensorType.F32, [0], _ => { });
    }

    private static (long Columns, byte[] Bytes) Shape(TensorType type)
    {
        var columns = 2L * TensorTypes.BlockSize(type);
        return (columns, Bytes((int)TensorTypes.TensorBytes(type, columns, 3), (int)type));
    }

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Check(GgufFile file, int alignment)
    {
        foreach (var (key, value) in Values)
        {
            Assert.True(file.Metadata.TryGet(key, out var read), key);
            Assert.Equal(value, Decode(read, value.GetType()));
        }
        foreach (var type in Enum.GetValues<TensorType>().Where(type => (int)type < 1000))
        {
            var (columns, bytes) = Shape(type);
            var tensor = file.GetTensor(type.ToString(), columns, 3);
            Assert.Equal(type, tensor.Type);
            Assert.Equal(0, tensor.Offset % alignment);
            Assert.Equal(bytes, tensor.Data.Span(0, bytes.Length).ToArray());
        }
        Assert.Equal(0, file.GetTensor("empty", 0).Data.Length);
    }

    private static object Decode(GgufValue value, Type type)
    {
        if (!type.IsArray)
        {
            return value.Type switch
            {
                GgufValueType.String => value.ToText(),
                GgufValueType.Bool => value.ToBoolean(),
                GgufValueType.UInt64 => ulong.Parse(value.ToString()),
                GgufValueType.Float32 or GgufValueType.Float64 => Convert.ChangeType(value.ToNumber(), type),
                _ => Convert.ChangeType(value.ToInteger(), type),
            };
        }
        var elements = value.Elements().Select(element => Decode(element, type.GetElementType()!)).ToArray();
        var array = Array.CreateInstance(type.GetElementType()!, elements.Length);
        elements.CopyTo(array, 0);
        return array;
    }
}
