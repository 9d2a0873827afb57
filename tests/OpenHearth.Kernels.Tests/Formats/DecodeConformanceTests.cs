using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>Decoding equals ggml's, bit for bit.</summary>
public class DecodeConformanceTests
{
    public static TheoryData<TensorType> Types => [.. BlockFormats.All.Select(format => format.Type).Where(IsGgmlBlock)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Decode_BlocksWrittenByGgml_SameBits(TensorType type)
    {
        var fixture = QuantizationFixture.Open("ggml");
        var entry = fixture.Type(type.ToString());
        var format = BlockFormats.Get(type);
        Assert.Equal(entry.GetProperty("id").GetInt32(), (int)type);
        Assert.Equal(entry.GetProperty("block").GetInt32(), format.BlockSize);
        Assert.Equal(entry.GetProperty("block_bytes").GetInt32(), format.BlockBytes);
        var cases = entry.GetProperty("cases").EnumerateArray().Concat(
            entry.GetProperty("decode").EnumerateObject().Select(property => property.Value)).ToArray();
        Assert.NotEmpty(cases);
        foreach (var (index, item) in cases.Index())
        {
            var expected = fixture.Array<float>(item.GetProperty("values"));
            var blocks = fixture.Bytes(item.GetProperty("bytes"));
            var actual = new float[expected.Length];
            format.DecodeScalar(blocks, actual);
            Floats.AssertSameBits(expected, actual, $"{type} case {index}, scalar");
            actual.AsSpan().Clear();
            format.Decode(blocks, actual);
            Floats.AssertSameBits(expected, actual, $"{type} case {index}");
        }
    }

    [Fact]
    public void Get_EveryTypeOfGgml_IsThere()
    {
        var names = QuantizationFixture.Open("ggml").Manifest.GetProperty("types").EnumerateArray()
            .Select(type => Enum.Parse<TensorType>(type.GetProperty("name").GetString()!));
        Assert.All(names, type => Assert.Equal(type, BlockFormats.Get(type).Type));
    }

    [Fact]
    public void Decode_EveryHalf_SameBits()
    {
        var fixture = QuantizationFixture.Open("ggml");
        var expected = fixture.Array<float>(fixture.Manifest.GetProperty("half").GetProperty("f16_to_f32").GetProperty("f32_of_all_65536"));
        var halves = Enumerable.Range(0, 65536).SelectMany(bits => (byte[])[(byte)bits, (byte)(bits >> 8)]).ToArray();
        var actual = new float[65536];
        BlockFormats.Get(TensorType.F16).Decode(halves, actual);
        Floats.AssertSameBits(expected, actual, "F16");
        BlockFormats.Get(TensorType.F16).DecodeScalar(halves, actual);
        Floats.AssertSameBits(expected, actual, "F16, scalar");
        BlockFormats.Get(TensorType.BF16).Decode(halves, actual);
        Floats.AssertSameBits([.. Enumerable.Range(0, 65536).Select(bits => BitConverter.Int32BitsToSingle(bits << 16))], actual, "BF16");
    }

    private static bool IsGgmlBlock(TensorType type) => (int)type < 1000 && TensorTypes.BlockSize(type) > 1 && type != TensorType.I2_S;
}
