using System.Runtime.InteropServices;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.Tests.Formats;

public class BlockFormatTests
{
    public static TheoryData<TensorType> Types => [.. BlockFormats.All.Select(format => format.Type)];

    public static TheoryData<TensorType> Writable => [.. BlockFormats.All.Where(format => format.CanEncode).Select(format => format.Type)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Decode_HostileBytes_StaysInsideItsSpansAndEqualsTheScalarTwin(TensorType type)
    {
        var format = BlockFormats.Get(type);
        var random = new Random(1);
        foreach (var count in (int[])[0, 1, 2, 3, 5, 7, 8, 31, 33])
        {
            var (bytes, size) = (count * format.BlockBytes, count * format.BlockSize);
            for (var round = 0; round < 20; round++)
            {
                var memory = new byte[bytes + 64];
                random.NextBytes(memory);
                if (round == 0)
                    memory.AsSpan().Fill(0xFF);
                var (expected, actual) = (new float[size + 2], new float[size + 32]);
                expected.AsSpan().Fill(42.5f);
                actual.AsSpan().Fill(42.5f);

                // The blocks end where the span ends, and the bytes behind it must not matter.
                format.DecodeScalar(memory.AsSpan(0, bytes), expected.AsSpan(1, size));
                format.Decode(memory.AsSpan(0, bytes), actual.AsSpan(16, size));
                Floats.AssertSameBits(expected.AsSpan(1, size), actual.AsSpan(16, size), $"{type}, {count} blocks");
                Assert.Equal([42.5f, 42.5f], [expected[0], expected[^1]]);
                Assert.All(actual[..16].Concat(actual[(16 + size)..]), value => Assert.Equal(42.5f, value));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Decode_MissingBytesOrValues_Throws(TensorType type)
    {
        var format = BlockFormats.Get(type);
        Assert.Throws<ArgumentException>(() => format.Decode(new byte[2 * format.BlockBytes - 1], new float[2 * format.BlockSize]));
        Assert.Throws<ArgumentException>(() => format.DecodeScalar(new byte[2 * format.BlockBytes - 1], new float[2 * format.BlockSize]));
        if (format.BlockSize > 1)
            Assert.Throws<ArgumentException>(() => format.Decode(new byte[2 * format.BlockBytes], new float[format.BlockSize + 1]));
    }

    [Theory]
    [MemberData(nameof(Writable))]
    public void Encode_ThenDecode_StaysWithinTheStepOfTheFormat(TensorType type)
    {
        var format = BlockFormats.Get(type);
        var random = new Random(2);
        foreach (var count in (int[])[1, 3, 7])
        {
            var values = new float[count * format.BlockSize];
            for (var round = 0; round < 20; round++)
            {
                var magnitude = MathF.Pow(10, random.Next(type == TensorType.NVFP4 ? 0 : -3, 4)); // its scales are FP8
                for (var i = 0; i < values.Length; i++)
                    values[i] = magnitude * (2 * random.NextSingle() - 1);
                var importance = values.Select(_ => 0.1f + random.NextSingle()).ToArray();
                foreach (var weights in (float[][])(format.NeedsImportance ? [importance] : [[], importance]))
                {
                    var (blocks, decoded) = (new byte[count * format.BlockBytes], new float[values.Length]);
                    format.Encode(values, weights, blocks);
                    format.Decode(blocks, decoded);
                    var error = values.Zip(decoded, (a, b) => (double)(a - b) * (a - b)).Sum();
                    var power = values.Sum(value => (double)value * value);
                    Assert.InRange(Math.Sqrt(error / power), 0, Bound(type));
                }
            }
        }
    }

    [Theory]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    [InlineData(TensorType.Q8_0)]
    [InlineData(TensorType.Q4_0)]
    public void Encode_Fast_EqualsTheScalarTwin(TensorType type)
    {
        var format = BlockFormats.Get(type);
        var random = new Random(4);
        foreach (var count in (int[])[1, 2, 3, 5, 17, 100])
        {
            for (var round = 0; round < 100; round++)
            {
                // Coarse steps make ties of magnitudes and of roundings common; some rows are far out of F16's range.
                var step = MathF.ScaleB(1, random.Next(-40, 20));
                var values = Enumerable.Range(0, count * format.BlockSize)
                    .Select(_ => round % 3 == 0 ? step * random.Next(-16, 17) : step * (random.NextSingle() - 0.5f)).ToArray();
                var (expected, actual) = (new byte[count * format.BlockBytes], new byte[count * format.BlockBytes]);
                format.EncodeScalar(values, default, expected);
                format.Encode(values, actual);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Writable))]
    public void Encode_HostileValues_EndsAndStaysInsideItsSpans(TensorType type)
    {
        var format = BlockFormats.Get(type);
        var random = new Random(3);
        float[] odd = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, float.Epsilon, -0f, 1e-30f, 1, -1];
        for (var round = 0; round < 2 * odd.Length + 20; round++)
        {
            var values = Enumerable.Range(0, 2 * format.BlockSize)
                .Select(_ => round < 2 * odd.Length ? odd[round / 2] : random.Next(2) == 0 ? odd[random.Next(odd.Length)] : random.NextSingle() - 0.5f).ToArray();
            var importance = values.Select(_ => round % 2 == 0 ? random.NextSingle() : odd[random.Next(odd.Length)]).ToArray();
            var memory = new byte[2 * format.BlockBytes + 32];
            memory.AsSpan().Fill(0xA5);
            var blocks = memory.AsSpan(16, 2 * format.BlockBytes);
            if (!format.NeedsImportance)
                format.Encode(values, blocks);
            format.Encode(values, importance, blocks);
            Assert.All(memory[..16].Concat(memory[^16..]), value => Assert.Equal(0xA5, value));
            format.Decode(blocks, new float[2 * format.BlockSize]);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Encode_WrongSizes_Throws(TensorType type)
    {
        var format = BlockFormats.Get(type);
        var (values, importance, blocks) = (new float[2 * format.BlockSize], new float[2 * format.BlockSize], new byte[2 * format.BlockBytes]);
        if (!format.CanEncode)
        {
            Assert.Throws<NotSupportedException>(() => format.Encode(values, importance, blocks));
            return;
        }
        Assert.Throws<ArgumentException>(() => format.Encode(values, importance, blocks.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => format.Encode(values, importance.AsSpan(1), blocks));
        if (format.BlockSize > 1)
            Assert.Throws<ArgumentException>(() => format.Encode(values.AsSpan(1), importance, blocks));
        if (format.NeedsImportance)
            Assert.Throws<NotSupportedException>(() => format.Encode(values, blocks));
    }

    [Fact]
    public void Get_UnknownType_NamesIt()
    {
        Assert.False(BlockFormats.TryGet((TensorType)5, out _));
        Assert.Contains("5", Assert.Throws<NotSupportedException>(() => BlockFormats.Get((TensorType)5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_PlainNumbers_AreConverted()
    {
        Assert.Equal([1.5f, -2, float.PositiveInfinity], Decode<double>(TensorType.F64, 1.5, -2, 1e300));
        Assert.Equal([-128f, 127], Decode<sbyte>(TensorType.I8, -128, 127));
        Assert.Equal([200f, 0], Decode<byte>(TensorType.U8, 200, 0));
        Assert.Equal([0f, 1, 1], Decode<byte>(TensorType.Bool, 0, 1, 255));
        Assert.Equal([-300f, 300], Decode<short>(TensorType.I16, -300, 300));
        Assert.Equal([16777216f, -1], Decode(TensorType.I32, 16777217, -1));
        Assert.Equal([-9223372036854775808f, 7], Decode(TensorType.I64, long.MinValue, 7));
    }

    [Fact]
    public void Decode_F8E4M3_FollowsThePaper()
    {
        // 0, smallest subnormal 2^-9, largest subnormal, smallest normal 2^-6, 1, -1, 448 (largest), NaN
        Assert.Equal([0f, 0.001953125f, 0.013671875f, 0.015625f, 1, -1, 448, float.NaN, -0f, float.NaN],
            Decode<byte>(TensorType.F8_E4M3, 0x00, 0x01, 0x07, 0x08, 0x38, 0xB8, 0x7E, 0x7F, 0x80, 0xFF));
    }

    [Fact]
    public void Decode_F8E5M2_FollowsThePaper()
    {
        // 0, smallest subnormal 2^-16, smallest normal 2^-14, 1, -1.75, 57344 (largest), infinity, NaN
        Assert.Equal([0f, 1.52587890625e-05f, 6.103515625e-05f, 1, -1.75f, 57344, float.PositiveInfinity, float.NaN],
            Decode<byte>(TensorType.F8_E5M2, 0x00, 0x01, 0x04, 0x3C, 0xBF, 0x7B, 0x7C, 0x7D));
    }

    [Fact]
    public void Decode_I2S_ReadsFourGroupsFromTheHighBitsDown()
    {
        var block = new byte[32];
        block[0] = 0b10_01_00_10;
        block[31] = 0b00_00_00_00;
        block.AsSpan(1, 30).Fill(0b01_01_01_01);
        var values = new float[128];
        BlockFormats.Get(TensorType.I2_S).Decode(block, values);
        Assert.Equal([1f, 0, -1, 1], [values[0], values[32], values[64], values[96]]);
        Assert.Equal([-1f, -1, -1, -1], [values[31], values[63], values[95], values[127]]);
        Assert.Equal(0, values[1..31].Sum(MathF.Abs));
        Assert.Equal(32, TensorTypes.TrailerBytes(TensorType.I2_S));
        Assert.Equal(0.75f, BlockFormats.Get(TensorType.I2_S).TensorScale([0, 0, 0x40, 0x3F, .. new byte[28]]));
        Assert.Equal(1, BlockFormats.Get(TensorType.Q4_0).TensorScale([]));
    }

    private static float[] Decode<T>(TensorType type, params T[] numbers) where T : unmanaged
    {
        var values = new float[numbers.Length];
        BlockFormats.Get(type).Decode(MemoryMarshal.AsBytes<T>(numbers), values);
        return values;
    }

    /// <summary>Greatest relative RMSE over uniform values that a format of so many bits may have.</summary>
    private static double Bound(TensorType type) => type switch
    {
        TensorType.F32 => 0,
        TensorType.F16 or TensorType.BF16 => 0.004,
        TensorType.Q8_0 or TensorType.Q8_1 or TensorType.Q8_K => 0.01,
        TensorType.Q6_K => 0.03,
        TensorType.Q5_0 or TensorType.Q5_1 or TensorType.Q5_K => 0.06,
        TensorType.Q4_0 or TensorType.Q4_1 or TensorType.Q4_K or TensorType.IQ4_NL or TensorType.IQ4_XS => 0.12,
        TensorType.MXFP4 or TensorType.NVFP4 => 0.2,
        TensorType.Q3_K => 0.25,
        TensorType.Q2_K => 0.4,
        TensorType.IQ3_XXS or TensorType.IQ3_S => 0.3,
        TensorType.IQ2_XXS or TensorType.IQ2_XS or TensorType.IQ2_S => 0.5,
        TensorType.IQ1_S or TensorType.IQ1_M => 0.75,
        TensorType.Q1_0 or TensorType.Q2_0 or TensorType.TQ1_0 or TensorType.TQ2_0 => 0.65,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "A format that can be written needs a bound here."),
    };
}
