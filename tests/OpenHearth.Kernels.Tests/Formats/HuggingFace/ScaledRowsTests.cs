using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.Formats.HuggingFace;

public class ScaledRowsTests
{
    [Fact]
    public void LlmInt8_OfTheFixture_SameBits()
    {
        var fixture = QuantizationFixture.Open("bitsandbytes");
        var cases = fixture.Manifest.GetProperty("int8").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        foreach (var item in cases)
        {
            var shape = QuantizationFixture.Shape(item.GetProperty("bytes"));
            using var bytes = TensorFile.Native(fixture.Bytes(item.GetProperty("bytes")));
            var decoder = ScaledRows.LlmInt8(shape[0], shape[1], MemoryRegion.Of(bytes), fixture.Array<float>(item.GetProperty("row_absmax")).ToArray());
            Check(decoder, fixture.Array<float>(item.GetProperty("dequantized")), "LLM.int8");
        }
    }

    [Theory]
    [InlineData(TensorType.F8_E4M3, 128, 128)]
    [InlineData(TensorType.F8_E4M3, 4, 5)]
    [InlineData(TensorType.F8_E5M2, 1, 0)]
    [InlineData(TensorType.F8_E4M3, 0, 0)]
    [InlineData(TensorType.I8, 1, 16)]
    [InlineData(TensorType.BF16, 2, 0)]
    public void DecodeRow_ScalesOfBlocks_AreThoseOfTheBlock(TensorType type, int blockRows, int blockColumns)
    {
        var random = new Random(6);
        foreach (var (rows, columns) in ((int, int)[])[(1, 1), (7, 33), (130, 300)])
        {
            var (high, wide) = (blockRows == 0 ? rows : blockRows, blockColumns == 0 ? columns : blockColumns);
            var across = (columns + wide - 1) / wide;
            var scales = Enumerable.Range(0, (rows + high - 1) / high * across).Select(_ => random.NextSingle()).ToArray();
            var zeros = scales.Select(_ => (sbyte)random.Next(-128, 128)).ToArray();
            var format = BlockFormats.Get(type);
            var bytes = new byte[rows * columns * format.BlockBytes];
            random.NextBytes(bytes);
            var numbers = new float[rows * columns];
            format.DecodeScalar(bytes, numbers);
            using var native = TensorFile.Native(bytes);
            foreach (var withZeros in (bool[])[false, true])
            {
                var expected = numbers.Select((number, i) =>
                    (number - (withZeros ? zeros[i / columns / high * across + i % columns / wide] : 0)) * scales[i / columns / high * across + i % columns / wide]).ToArray();
                Check(new ScaledRows(type, rows, columns, MemoryRegion.Of(native), (blockRows, blockColumns), scales, withZeros ? zeros : null), expected, $"{type} {rows} × {columns}");
            }
        }
    }

    [Fact]
    public void Constructor_HostileTensors_NamesTheTensor()
    {
        using var bytes = new NativeBuffer<byte>(1024);
        var region = MemoryRegion.Of(bytes);
        Assert.Contains("numbers", Assert.Throws<ArgumentException>(() => new ScaledRows(TensorType.F8_E4M3, 33, 32, region, (0, 0), [1])).Message, StringComparison.Ordinal);
        Assert.Contains("scales", Assert.Throws<ArgumentException>(() => new ScaledRows(TensorType.F8_E4M3, 32, 32, region, (16, 16), [1, 2, 3])).Message, StringComparison.Ordinal);
        Assert.Contains("zeros", Assert.Throws<ArgumentException>(() => new ScaledRows(TensorType.I8, 32, 32, region, (16, 16), [1, 2, 3, 4], [1])).Message, StringComparison.Ordinal);
        Assert.Contains("Q4_0", Assert.Throws<ArgumentException>(() => new ScaledRows(TensorType.Q4_0, 32, 32, region, (0, 0), [1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TernaryRows_PackedOutputs_LieAQuarterApart()
    {
        var random = new Random(7);
        var (rows, columns) = (12, 37);
        var codes = Enumerable.Range(0, rows * columns).Select(_ => random.Next(3)).ToArray();
        var bytes = new byte[rows / 4 * columns];
        for (var i = 0; i < codes.Length; i++)
            bytes[i % bytes.Length] |= (byte)(codes[i] << 2 * (i / bytes.Length));
        using var native = TensorFile.Native(bytes);
        Check(new TernaryRows(rows, columns, MemoryRegion.Of(native), 0.3f), [.. codes.Select(code => (code - 1) * 0.3f)], "ternary");
        Assert.Throws<ArgumentException>(() => new TernaryRows(16, columns, MemoryRegion.Of(native), 1));
        Assert.Throws<ArgumentException>(() => new TernaryRows(10, columns, MemoryRegion.Of(native), 1));
    }

    internal static void Check(RowDecoder decoder, ReadOnlySpan<float> expected, string about)
    {
        Assert.Equal(expected.Length, decoder.Rows * decoder.Columns);
        var actual = new float[decoder.Columns + 1];
        for (var row = 0; row < decoder.Rows; row++)
        {
            actual[^1] = 42.5f;
            decoder.DecodeRow(row, actual);
            Floats.AssertSameBits(expected.Slice(row * decoder.Columns, decoder.Columns), actual.AsSpan(0, decoder.Columns), $"{about} row {row}");
            Assert.Equal(42.5f, actual[^1]);
        }
        foreach (var first in (int[])[0, decoder.Rows / 3])
        {
            var several = new float[(decoder.Rows - first) * decoder.Columns];
            decoder.DecodeRows(first, decoder.Rows - first, several);
            Floats.AssertSameBits(expected[(first * decoder.Columns)..], several, $"{about}, rows from {first}");
        }
    }
}
