using System.Diagnostics;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;

namespace OpenHearth.Engine.Tests.Files.Gguf;

/// <summary>Damaged and hostile files: each ends soon, with little memory, in one line that names file, field and offset.</summary>
public sealed class GgufHostileTests
{
    private static readonly Dictionary<string, (Func<byte[]> Bytes, string Field, string What)> Cases = new()
    {
        ["no bytes"] = (() => [], "header, magic at byte 0", "the file has 0 bytes"),
        ["three bytes"] = (() => [.. "GGU"u8], "header, magic at byte 0", "the file has 3 bytes"),
        ["another format"] = (() => [.. "PK\x3\x4 a zip file"u8], "header, magic at byte 0", "504B0304 instead of 'GGUF'"),
        ["a Git LFS pointer"] = (() => [.. "version https://git-lfs.github.com/spec/v1\noid"u8], "header, magic at byte 0", "git lfs pull"),
        ["version 1"] = (() => Start(version: 1).ToArray(), "header, version at byte 4", "1 is not supported"),
        ["version of the future"] = (() => Start(version: 4).ToArray(), "header, version at byte 4", "4 is not supported"),
        ["cut in the header"] = (() => Start().ToArray()[..20], "header, metadata count at byte 16", "cut off"),
        ["more tensors than bytes"] = (() => Start(tensors: 1UL << 40).ToArray(), "header, tensor count at byte 8", "1099511627776 entries do not fit the 8 bytes"),
        ["negative count of tensors"] = (() => Start(tensors: ulong.MaxValue).ToArray(), "header, tensor count at byte 8", "18446744073709551615 entries"),
        ["too many tensors"] = (() => Start(tensors: 70000).Zeros(70000 * 24).ToArray(), "header, tensor count at byte 8", "at most 65536 are allowed"),
        ["more keys than bytes"] = (() => Start(keys: 2).Zeros(13).ToArray(), "header, metadata count at byte 16", "2 entries do not fit the 13 bytes"),
        ["too many keys"] = (() => Start(keys: 70000).Zeros(70000 * 13).ToArray(), "header, metadata count at byte 16", "at most 65536 are allowed"),
        ["key longer than the file"] = (() => Start(keys: 1).U64(1UL << 60).Zeros(20).ToArray(), "metadata 0, key length at byte 24", "1152921504606846976 bytes are more than the 20"),
        ["key longer than names may be"] = (() => Start(keys: 1).U64(65536).Zeros(65600).ToArray(), "metadata 0, key length at byte 24", "at most 65535 are allowed"),
        ["key that is no UTF-8"] = (() => Start(keys: 1).U64(2).Raw(0xC3, 0x28).U32(0).Raw(1).Zeros(8).ToArray(), "metadata 0, key at byte 32", "not valid UTF-8"),
        ["duplicate key"] = (() => Start(keys: 2).Text("a").U32(4).U32(1).Text("a").U32(4).U32(1).ToArray(), "metadata 1 'a', key at byte 41", "there twice"),
        ["key with a line break"] = (() => Start(keys: 1).Text("a\nb").U32(99).Zeros(8).ToArray(), "metadata 0 'a\\u000ab', type at byte 35", "value type 99 is unknown"),
        ["unknown value type"] = (() => Start(keys: 1).Text("a").U32(13).Zeros(8).ToArray(), "metadata 0 'a', type at byte 33", "value type 13 is unknown"),
        ["unknown element type"] = (() => Start(keys: 1).Text("a").U32(9).U32(77).U64(0).ToArray(), "metadata 0 'a', array element type at byte 37", "value type 77 is unknown"),
        ["cut in a value"] = (() => Start(keys: 1).Text("a").U32(10).Zeros(7).ToArray(), "metadata 0 'a', value at byte 37", "cut off"),
        ["string longer than the file"] = (() => Start(keys: 1).Text("a").U32(8).U64(ulong.MaxValue).ToArray(), "metadata 0 'a', string length at byte 37", "18446744073709551615 bytes"),
        ["array larger than the file"] = (() => Start(keys: 1).Text("a").U32(9).U32(4).U64(1UL << 62).ToArray(), "metadata 0 'a', array count at byte 41", "4611686018427387904 entries do not fit"),
        ["array of strings larger than the file"] = (() => Start(keys: 1).Text("a").U32(9).U32(8).U64(3).Zeros(23).ToArray(), "metadata 0 'a', array count at byte 41", "3 entries do not fit the 23 bytes"),
        ["array nested too deep"] = (() => Nested(9), "metadata 0 'a', array at byte 133", "nested deeper than 8"),
        ["array nested without end"] = (() => Nested(100_000), "metadata 0 'a', array at byte 133", "nested deeper than 8"),
        ["alignment 0"] = (() => Aligned(0), "metadata 'general.alignment', value at byte 53", "0 is no power of two"),
        ["alignment 48"] = (() => Aligned(48), "metadata 'general.alignment', value at byte 53", "48 is no power of two"),
        ["alignment 2^31"] = (() => Aligned(1U << 31), "metadata 'general.alignment', value at byte 53", "2147483648 is no power of two"),
        ["alignment that is text"] = (() => Start(keys: 1).Text("general.alignment").U32(8).Text("32").ToArray(), "metadata 'general.alignment' at byte 53", "expected an integer, found String '32'"),
        ["tensor name that is no UTF-8"] = (() => Start(tensors: 1).U64(1).Raw(0xFF).Zeros(40).ToArray(), "tensor 0, name at byte 32", "not valid UTF-8"),
        ["tensor name longer than the file"] = (() => Start(tensors: 1).U64(99).Zeros(40).ToArray(), "tensor 0, name length at byte 24", "99 bytes are more than the 40"),
        ["duplicate tensor name"] = (() => Start(tensors: 2).Text("a").U32(1).U64(1).U32(0).U64(0).Text("a").U32(1).U64(1).U32(0).U64(32).Pad().Zeros(64).ToArray(), "tensor 'a' at byte 128", "there twice"),
        ["five dimensions"] = (() => Start(tensors: 1).Text("a").U32(5).Zeros(60).ToArray(), "tensor 0 'a', dimension count at byte 33", "5 dimensions; at most 4"),
        ["negative dimension"] = (() => Tensor(0, 0, 4, ulong.MaxValue), "tensor 0 'a', dimensions at byte 45", "dimension 1 is 18446744073709551615"),
        ["product of dimensions overflows"] = (() => Tensor(0, 0, 1UL << 31, 1UL << 31, 1UL << 31), "tensor 0 'a', dimensions at byte 37", "more values than 64 bits can count"),
        ["product of bytes overflows"] = (() => Tensor(0, 0, 1UL << 31, 1UL << 31), "tensor 0 'a', dimensions at byte 37", "more values than 64 bits can count"),
        ["scalar of blocks"] = (() => Tensor(12, 0), "tensor 0 'a', dimensions at byte 37", "a row of 1 values"),
        ["row of broken blocks"] = (() => Tensor(12, 0, 255), "tensor 0 'a', dimensions at byte 37", "a row of 255 values is no whole number of Q4_K blocks of 256"),
        ["unknown tensor type"] = (() => Tensor(31, 0, 4), "tensor 0 'a', type at byte 45", "tensor type 31 is unknown"),
        ["tensor type of this program only"] = (() => Tensor(1000, 0, 4), "tensor 0 'a', type at byte 45", "tensor type 1000 is unknown"),
        ["offset against the alignment"] = (() => Tensor(0, 8, 4), "tensor 0 'a', offset at byte 49", "8 is no multiple of the alignment 32"),
        ["offset past the end"] = (() => Tensor(0, 32, 4), "tensor 0 'a', offset at byte 49", "16 bytes from offset 32 on reach past the 16 bytes"),
        ["offset that overflows"] = (() => Tensor(0, ulong.MaxValue - 31, 4), "tensor 0 'a', offset at byte 49", "18446744073709551584 is no multiple"),
        ["offset near 2^63"] = (() => Tensor(0, long.MaxValue - 31, 4), "tensor 0 'a', offset at byte 49", "reach past the 16 bytes"),
        ["tensor longer than the file"] = (() => Tensor(0, 0, 1UL << 40), "tensor 0 'a', offset at byte 49", "4398046511104 bytes from offset 0 on reach past"),
        ["cut in the tensor data"] = (() => Tensor(0, 0, 4)[..^1], "tensor 0 'a', offset at byte 49", "reach past the 15 bytes"),
        ["cut before the tensor data"] = (() => Tensor(0, 0, 4)[..60], "tensor 0 'a', offset at byte 49", "reach past the 0 bytes"),
        ["overlapping tensors"] = (() => Start(tensors: 2).Text("a").U32(1).U64(9).U32(0).U64(0).Text("b").U32(1).U64(1).U32(0).U64(32).Pad().Zeros(64).ToArray(), "tensor 1 'b', offset at byte 82", "overlaps that of 'a'"),
        ["a part of a split alone in memory"] = (() => Start(keys: 2).Text("split.no").U32(2).Raw(0, 0).Text("split.count").U32(2).Raw(3, 0).ToArray(), "'split.no'", "part 1 of 3"),
        ["split count that is text"] = (() => Start(keys: 1).Text("split.count").U32(8).Text("3").ToArray(), "metadata 'split.count' at byte 47", "expected an integer, found String '3'"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_HostileFile_FailsInOneLine(string name)
    {
        var (make, field, what) = Cases[name];
        var bytes = make();
        RawBytes.Over(bytes, region =>
        {
            var watch = Stopwatch.StartNew();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var failure = Assert.Throws<ModelFormatException>(() => GgufFile.Read(region, "m.gguf"));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 1);
            Assert.StartsWith("m.gguf: ", failure.Message);
            Assert.Contains(field, failure.Message);
            Assert.Contains(what, failure.Message);
            Assert.DoesNotContain(failure.Message, char.IsControl);
            return 0;
        });
    }

    [Fact]
    public void Read_TruncatedAnywhere_Fails()
    {
        var whole = Small.Gguf();
        for (var length = 0; length < whole.Length; length++)
        {
            var message = RawBytes.Over(whole.AsSpan(0, length), region => Assert.Throws<ModelFormatException>(() => GgufFile.Read(region, "m.gguf")).Message);
            Assert.Matches("^m.gguf: .+ at byte [0-9]+: .+$", message);
        }
    }

    [Fact]
    public void Open_HostileFileOnDisk_FailsTheSame()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, (make, _, what)) in Cases)
        {
            var path = folder.Write("m.gguf", make());
            var message = Assert.Throws<ModelFormatException>(() => GgufFile.Open(path)).Message;
            Assert.True(message.StartsWith(path, StringComparison.Ordinal) && message.Contains(what, StringComparison.Ordinal), $"{name}: {message}");
        }
    }

    [Fact]
    public void Read_ManyHugeArrays_TakesLittleMemoryAndTime()
    {
        // 12 MiB of empty arrays in an array: the most entries that a file of this size can claim.
        var raw = new RawBytes().Raw("GGUF"u8).U32(3).U64(0).U64(1).Text("a").U32(9).U32(9).U64(1 << 20);
        var bytes = new byte[raw.Count + (12 << 20)];
        raw.ToArray().CopyTo(bytes, 0);
        RawBytes.Over(bytes, region =>
        {
            var watch = Stopwatch.StartNew();
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var file = GgufFile.Read(region, "m.gguf");
            Assert.True(file.Metadata.TryGet("a", out var value));
            Assert.Contains("1048576 in all", value.ToString());
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 1);
            return 0;
        });
    }

    [Fact]
    public void Read_AsManyTensorsAsAllowed_TakesLittleMemory()
    {
        var raw = Start(tensors: 1 << 16);
        for (var i = 0; i < 1 << 16; i++)
            raw.Text($"n{i}").U32(1).U64(0).U32(0).U64(0);
        RawBytes.Over(raw.Pad().ToArray(), region =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var file = GgufFile.Read(region, "m.gguf");
            Assert.Equal(1 << 16, file.Tensors.Count);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
            return 0;
        });
    }

    [Fact]
    public void Read_NamesOfManyMegabytes_Fails()
    {
        var raw = Start(tensors: 300);
        for (var i = 0; i < 300; i++)
            raw.U64(65535).Raw(System.Text.Encoding.ASCII.GetBytes($"{i:D5}")).Zeros(65530).U32(0).U32(0).U64(0);
        var message = RawBytes.Over(raw.ToArray(), region => Assert.Throws<ModelFormatException>(() => GgufFile.Read(region, "m.gguf")).Message);
        Assert.Contains("tensor 256, name at byte", message);
        Assert.Contains("take more than 16777216 bytes", message);
    }

    private static RawBytes Start(uint version = 3, ulong tensors = 0, ulong keys = 0) =>
        new RawBytes().Raw("GGUF"u8).U32(version).U64(tensors).U64(keys);

    private static byte[] Nested(int depth)
    {
        var raw = Start(keys: 1).Text("a").U32(9);
        for (var i = 0; i < depth; i++)
            raw.U32(9).U64(1);
        return raw.U32(4).U64(1).U32(0).ToArray();
    }

    private static byte[] Aligned(uint alignment) =>
        Start(keys: 1).Text("general.alignment").U32(4).U32(alignment).Pad().ToArray();

    private static byte[] Tensor(uint type, ulong offset, params ulong[] dimensions)
    {
        var raw = Start(tensors: 1).Text("a").U32((uint)dimensions.Length);
        foreach (var dimension in dimensions)
            raw.U64(dimension);
        return raw.U32(type).U64(offset).Pad().Zeros(16).ToArray();
    }
}
