using System.Text.Json;
using OpenHearth.Kernels.Formats.HuggingFace;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.Formats.HuggingFace;

public class GroupedRowsTests
{
    [Fact]
    public void DecodeRow_GptqAndAwqOfTheFixture_SameBits()
    {
        var fixture = QuantizationFixture.Open("gptq_awq");
        using var file = new TensorFile(Fixtures.Path("fixtures", "quantization", "gptq_awq", "packed.safetensors"));
        var cases = fixture.Manifest.GetProperty("cases").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        foreach (var item in cases)
        {
            var name = item.GetProperty("prefix").GetString()!;
            var (rows, columns) = (item.GetProperty("out_features").GetInt32(), item.GetProperty("in_features").GetInt32());
            var expected = fixture.Array<float>(item.GetProperty("weights")); // [in, out]
            var decoder = Open(file, item, name, rows, columns);
            Assert.Equal((rows, columns), (decoder.Rows, decoder.Columns));
            var turned = new float[expected.Length]; // [out, in]
            for (var i = 0; i < turned.Length; i++)
                turned[i] = expected[i % columns * rows + i / columns];
            ScaledRowsTests.Check(decoder, turned, name);
        }
    }

    [Theory]
    [InlineData(4, 32, false, false)]
    [InlineData(4, 32, true, false)]
    [InlineData(4, 16, true, true)]
    [InlineData(8, 0, false, false)]
    [InlineData(2, 20, true, true)]
    public void DecodeRow_CompressedTensorsPacked_UndoesThePacking(int bits, int groupSize, bool withZeros, bool shuffled)
    {
        var random = new Random(5);
        var (rows, columns) = (11, 77);
        var groups = groupSize == 0 ? 1 : (columns + groupSize - 1) / groupSize;
        var codes = new int[rows, columns];
        var zeros = new int[rows, groups];
        var scales = Enumerable.Range(0, rows * groups).Select(_ => random.NextSingle()).ToArray();
        var groupOf = Enumerable.Range(0, columns).Select(i => groupSize == 0 ? 0 : i / groupSize).ToArray();
        if (shuffled)
            random.Shuffle(groupOf);
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
                codes[r, c] = random.Next(1 << bits);
            for (var g = 0; g < groups; g++)
                zeros[r, g] = withZeros ? random.Next(1 << bits) : 1 << (bits - 1);
        }
        using var packed = Pack(rows, columns, bits, down: false, (line, i) => codes[line, i]);
        using var packedZeros = Pack(groups, rows, bits, down: true, (line, i) => zeros[i, line]);
        var decoder = new PackedRows(rows, columns, bits, groupSize, MemoryRegion.Of(packed), scales,
            withZeros ? MemoryRegion.Of(packedZeros) : null, shuffled ? groupOf : []);
        var actual = new float[columns];
        for (var r = 0; r < rows; r++)
        {
            decoder.DecodeRow(r, actual);
            for (var c = 0; c < columns; c++)
                Assert.Equal(scales[r * groups + groupOf[c]] * (codes[r, c] - zeros[r, groupOf[c]]), actual[c]);
        }
    }

    [Fact]
    public void Constructor_HostileTensors_NamesTheTensor()
    {
        using var words = new NativeBuffer<byte>(4 * 4 * 64);
        var region = MemoryRegion.Of(words);
        var scales = new float[2 * 64];
        _ = new GptqRows(64, 32, 4, 16, 1, region, region, scales, []);
        Assert.Contains("qweight", Assert.Throws<ArgumentException>(() => new GptqRows(64, 64, 4, 32, 1, region, region, scales, [])).Message, StringComparison.Ordinal);
        Assert.Contains("qzeros", Assert.Throws<ArgumentException>(() => new GptqRows(64, 32, 4, 16, 1, region, region.Slice(0, 60), scales, [])).Message, StringComparison.Ordinal);
        Assert.Contains("scales", Assert.Throws<ArgumentException>(() => new GptqRows(64, 32, 4, 16, 1, region, region, [1], [])).Message, StringComparison.Ordinal);
        Assert.Contains("group 2", Assert.Throws<ArgumentException>(() => new GptqRows(64, 32, 4, 16, 1, region, region, scales, [.. Enumerable.Repeat(2, 32)])).Message, StringComparison.Ordinal);
        Assert.Contains("groupOf", Assert.Throws<ArgumentException>(() => new GptqRows(64, 32, 4, 16, 1, region, region, scales, [0])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GptqRows(64, 32, 5, 16, 1, region, region, scales, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GptqRows(64, 32, 4, 16, 3, region, region, scales, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GptqRows(0, 32, 4, 16, 1, region, region, scales, []));
        Assert.Throws<ArgumentException>(() => new AwqGemmRows(60, 32, 16, region, region, scales));
        Assert.Throws<ArgumentException>(() => new AwqGemvRows(64, 32, 1, 1, region, region, scales));
        Assert.Throws<ArgumentException>(() => new PackedRows(64, 64, 4, 16, region, scales, null, []));
    }

    [Fact]
    public void DecodeRow_NoSuchRowOrNoRoom_Throws()
    {
        using var words = new NativeBuffer<byte>(1024);
        var decoder = new GptqRows(64, 32, 4, 16, 2, MemoryRegion.Of(words), MemoryRegion.Of(words), new float[128], []);
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.DecodeRow(64, new float[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.DecodeRow(-1, new float[32]));
        Assert.Throws<ArgumentException>(() => decoder.DecodeRow(0, new float[31]));
    }

    private static GroupedRows Open(TensorFile file, JsonElement item, string name, int rows, int columns)
    {
        var group = item.GetProperty("group_size").GetInt32();
        var (qweight, qzeros) = (file.Region(name + ".qweight"), file.Region(name + ".qzeros"));
        var scales = file.Array<Half>(name + ".scales").Select(scale => (float)scale).ToArray();
        return item.GetProperty("format").GetString() switch
        {
            "awq_gemm" => new AwqGemmRows(rows, columns, group, qweight, qzeros, scales),
            "awq_gemv" => new AwqGemvRows(rows, columns, group, file.Shape(name + ".qzeros")[1], qweight, qzeros, scales),
            var format => new GptqRows(rows, columns, item.GetProperty("bits").GetInt32(), group, format == "gptq" ? 1 : 2,
                qweight, qzeros, scales, file.Array<int>(name + ".g_idx")),
        };
    }

    private static NativeBuffer<byte> Pack(int lines, int length, int bits, bool down, Func<int, int, int> code)
    {
        var along = (length * bits + 31) / 32;
        var words = new uint[lines * along];
        for (var line = 0; line < lines; line++)
        {
            for (var i = 0; i < length; i++)
            {
                var word = i * bits / 32;
                words[down ? word * lines + line : line * along + word] |= (uint)code(line, i) << i * bits % 32;
            }
        }
        return TensorFile.Native(System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(words));
    }
}
