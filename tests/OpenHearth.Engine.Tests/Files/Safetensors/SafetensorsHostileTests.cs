using System.Diagnostics;
using System.Text;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Safetensors;

namespace OpenHearth.Engine.Tests.Files.Safetensors;

/// <summary>Damaged and hostile files: each ends soon, with little memory, in one line that names file, field and offset.</summary>
public sealed class SafetensorsHostileTests
{
    private static readonly Dictionary<string, (Func<byte[]> Bytes, string Field, string What)> Cases = new()
    {
        ["no bytes"] = (() => [], "header length at byte 0", "the file has 0 bytes"),
        ["seven bytes"] = (() => new byte[7], "header length at byte 0", "the file has 7 bytes"),
        ["a Git LFS pointer"] = (() => [.. "version https://git-lfs.github.com/spec/v1\noid"u8], "header length at byte 0", "git lfs pull"),
        ["a GGUF file"] = (() => Small.Gguf(), "header length at byte 0", "no safetensors file"),
        ["header longer than the file"] = (() => new RawBytes().U64(100).Zeros(99).ToArray(), "header length at byte 0", "100 bytes are more than the 99"),
        ["header of 2^63 bytes"] = (() => new RawBytes().U64(1UL << 63).Zeros(99).ToArray(), "header length at byte 0", "more than the 25165824"),
        ["header of zeros"] = (() => new RawBytes().U64(8).Zeros(8).ToArray(), "header at byte 8", "no valid JSON"),
        ["empty header"] = (() => new RawBytes().U64(0).ToArray(), "header at byte 8", "no valid JSON"),
        ["header that is a list"] = (() => With("[]"), "header at byte 8", "expected an object, found an array"),
        ["header that is cut off"] = (() => With("{\"a\":{"), "header, 'a' at byte", "no valid JSON"),
        ["something after the header"] = (() => With("{} {}"), "header at byte 11", "no valid JSON"),
        ["header nested too deep"] = (() => With($"{{\"a\":{{\"b\":{new string('[', 5000)}"), "header, 'a' at byte", "no valid JSON"),
        ["header that is no UTF-8"] = (() => new RawBytes().U64(4).Raw((byte)'{', (byte)'"', 0xC3, 0x28).ToArray(), "header at byte 10", "not valid UTF-8"),
        ["name with half of a surrogate pair"] = (() => With("{\"\\ud800\":{}}"), "header at byte 9", "surrogate"),
        ["name with a line break"] = (() => With("{\"a\\nb\":7}"), "header, 'a\\u000ab' at byte", "expected an object, found a number"),
        ["duplicate name"] = (() => With($"{{{Entry("a", "U8", "[1]", 0, 1)},{Entry("a", "U8", "[1]", 1, 2)}}}", 2), "tensor 'a' at byte", "there twice"),
        ["duplicate dtype"] = (() => With("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}"), "header, 'a', 'dtype' at byte", "there twice"),
        ["two metadata"] = (() => With("{\"__metadata__\":{},\"__metadata__\":{}}"), "'__metadata__' at byte", "there twice"),
        ["duplicate metadata"] = (() => With("{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}"), "'__metadata__' at byte", "the key 'a' is there twice"),
        ["metadata that is a number"] = (() => With("{\"__metadata__\":{\"a\":1}}"), "'__metadata__' at byte", "expected a string, found a number"),
        ["no dtype"] = (() => With("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "header, 'a' at byte", "'dtype' is missing"),
        ["no shape"] = (() => With("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1), "header, 'a' at byte", "'shape' is missing"),
        ["no offsets"] = (() => With("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1), "header, 'a' at byte", "'data_offsets' is missing"),
        ["unknown dtype"] = (() => With($"{{{Entry("a", "Q9", "[1]", 0, 1)}}}", 1), "header, 'a', 'dtype' at byte", "the type 'Q9' is unknown; known are F64, F32"),
        ["negative dimension"] = (() => With($"{{{Entry("a", "U8", "[-1]", 0, 1)}}}", 1), "'shape' at byte", "expected a whole number from 0"),
        ["broken dimension"] = (() => With($"{{{Entry("a", "U8", "[1.5]", 0, 1)}}}", 1), "'shape' at byte", "expected a whole number from 0"),
        ["dimension above 2^63"] = (() => With($"{{{Entry("a", "U8", "[18446744073709551615]", 0, 1)}}}", 1), "'shape' at byte", "expected a whole number from 0"),
        ["seventeen dimensions"] = (() => With($"{{{Entry("a", "U8", $"[{string.Join(',', Enumerable.Repeat(1, 17))}]", 0, 1)}}}", 1), "'shape' at byte", "more than 16 dimensions"),
        ["product of dimensions overflows"] = (() => With($"{{{Entry("a", "U8", "[4294967296,4294967296]", 0, 0)}}}"), "header, 'a' at byte", "more values than 64 bits can count"),
        ["shape against the offsets"] = (() => With($"{{{Entry("a", "F32", "[2]", 0, 4)}}}", 4), "header, 'a' at byte", "have 4 bytes, 'shape' [2] of F32 needs 8"),
        ["offsets backwards"] = (() => With($"{{{Entry("a", "U8", "[1]", 2, 1)}}}", 2), "header, 'a', 'data_offsets' at byte", "it ends at 1, before its begin 2"),
        ["one offset"] = (() => With("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1), "header, 'a', 'data_offsets' at byte", "expected a begin and an end"),
        ["three offsets"] = (() => With("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1), "'data_offsets' at byte", "expected a begin and an end"),
        ["data past the end"] = (() => With($"{{{Entry("a", "U8", "[9]", 0, 9)}}}", 8), "header, 'a', 'data_offsets' at byte", "its data ends at 9, but the file has 8 bytes"),
        ["overlapping tensors"] = (() => With($"{{{Entry("a", "U8", "[4]", 0, 4)},{Entry("b", "U8", "[4]", 3, 7)}}}", 7), "header, 'b', 'data_offsets' at byte", "overlaps the tensor before it"),
        ["gap between tensors"] = (() => With($"{{{Entry("a", "U8", "[4]", 0, 4)},{Entry("b", "U8", "[4]", 5, 9)}}}", 9), "header, 'b', 'data_offsets' at byte", "no gap"),
        ["bytes of no tensor"] = (() => With($"{{{Entry("a", "U8", "[4]", 0, 4)}}}", 5), "tensor data at byte", "1 bytes belong to no tensor"),
        ["many tensors"] = (() => With(Many(70_000)), "header, 'n65536' at byte", "more than 65536 tensors"),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_HostileFile_FailsInOneLine(string name)
    {
        var (make, field, what) = Cases[name];
        RawBytes.Over(make(), region =>
        {
            var watch = Stopwatch.StartNew();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var failure = Assert.Throws<ModelFormatException>(() => SafetensorsModel.Read(region, "m.safetensors"));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 1);
            Assert.StartsWith("m.safetensors: ", failure.Message);
            Assert.Contains(field, failure.Message);
            Assert.Contains(what, failure.Message);
            Assert.DoesNotContain(failure.Message, char.IsControl);
            return 0;
        });
    }

    [Fact]
    public void Read_TruncatedAnywhere_Fails()
    {
        var whole = Small.Safetensors();
        for (var length = 0; length < whole.Length; length++)
        {
            var message = RawBytes.Over(whole.AsSpan(0, length), region => Assert.Throws<ModelFormatException>(() => SafetensorsModel.Read(region, "m.safetensors")).Message);
            Assert.Matches("^m.safetensors: .+ at byte [0-9]+: .+$", message);
        }
    }

    internal static byte[] With(string header, int data = 0) =>
        new RawBytes().U64((ulong)Encoding.UTF8.GetByteCount(header)).Raw(Encoding.UTF8.GetBytes(header)).Zeros(data).ToArray();

    internal static string Entry(string name, string type, string shape, long begin, long end) =>
        $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[{begin},{end}]}}";

    private static string Many(int count)
    {
        var text = new StringBuilder("{");
        for (var i = 0; i < count; i++)
            text.Append(i == 0 ? "" : ",").Append(Entry($"n{i}", "U8", "[0]", 0, 0));
        return text.Append('}').ToString();
    }
}
