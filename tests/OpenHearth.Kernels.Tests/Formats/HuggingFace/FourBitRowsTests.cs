using System.Text.Json;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Formats.HuggingFace;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Tests.Formats.HuggingFace;

public class FourBitRowsTests
{
    [Fact]
    public void DecodeRow_ArraysOfTheFixture_SameBits()
    {
        var fixture = QuantizationFixture.Open("bitsandbytes");
        var cases = fixture.Manifest.GetProperty("four_bit").EnumerateArray().ToArray();
        Assert.NotEmpty(cases);
        foreach (var item in cases)
        {
            var array = fixture.Manifest.GetProperty("arrays").GetProperty(item.GetProperty("array").GetString()!);
            var shape = QuantizationFixture.Shape(array);
            var type = Type(item.GetProperty("dtype").GetString()!);
            var map = fixture.Array<float>(fixture.Manifest.GetProperty("codes").GetProperty(item.GetProperty("type").GetString()!)).ToArray();
            var maxima = Maxima(fixture, item);
            using var packed = TensorFile.Native(fixture.Bytes(item.GetProperty("packed")));
            var decoder = new FourBitRows(shape[0], shape[1], item.GetProperty("blocksize").GetInt32(), type, MemoryRegion.Of(packed), map, maxima);
            ScaledRowsTests.Check(decoder, Values(fixture, item.GetProperty("dequantized"), type), item.GetRawText()[..90]);
        }
    }

    [Fact]
    public void DecodeRow_SavedModulesOfTheFixture_SameBits()
    {
        var fixture = QuantizationFixture.Open("bitsandbytes");
        using var file = new TensorFile(Fixtures.Path("fixtures", "quantization", "bitsandbytes", "linear4bit.safetensors"));
        var modules = fixture.Manifest.GetProperty("modules").GetProperty("linear4bit.safetensors").EnumerateArray().ToArray();
        Assert.NotEmpty(modules);
        foreach (var module in modules)
        {
            var name = module.GetProperty("prefix").GetString() + ".weight";
            var state = JsonDocument.Parse(file.Text($"{name}.quant_state.bitsandbytes__{module.GetProperty("type").GetString()}")).RootElement;
            var shape = QuantizationFixture.Shape(state);
            var type = Type(state.GetProperty("dtype").GetString()!);
            var maxima = module.GetProperty("nested").GetBoolean()
                ? FourBitRows.Nested(file.Array<byte>(name + ".absmax"), file.Array<float>(name + ".nested_quant_map"), file.Array<float>(name + ".nested_absmax"),
                    state.GetProperty("nested_blocksize").GetInt32(), state.GetProperty("nested_offset").GetSingle())
                : file.Array<float>(name + ".absmax");
            var decoder = new FourBitRows(shape[0], shape[1], state.GetProperty("blocksize").GetInt32(), type,
                file.Region(name), file.Array<float>(name + ".quant_map"), maxima);
            ScaledRowsTests.Check(decoder, Values(fixture, module.GetProperty("dequantized"), type), name);
        }
    }

    [Fact]
    public void Constructor_HostileTensors_NamesTheTensor()
    {
        using var bytes = new NativeBuffer<byte>(32);
        var region = MemoryRegion.Of(bytes);
        Assert.Contains("packed", Assert.Throws<ArgumentException>(() => new FourBitRows(5, 13, 64, TensorType.F32, region, new float[16], [1, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("maxima", Assert.Throws<ArgumentException>(() => new FourBitRows(8, 8, 63, TensorType.F32, region, new float[16], [1])).Message, StringComparison.Ordinal);
        Assert.Contains("map", Assert.Throws<ArgumentException>(() => new FourBitRows(8, 8, 64, TensorType.F32, region, new float[15], [1])).Message, StringComparison.Ordinal);
        Assert.Contains("Q4_0", Assert.Throws<ArgumentException>(() => new FourBitRows(8, 8, 64, TensorType.Q4_0, region, new float[16], [1])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new FourBitRows(8, 8, 0, TensorType.F32, region, new float[16], [1]));
        Assert.Throws<ArgumentException>(() => FourBitRows.Nested(new byte[257], new float[256], [1], 256, 0));
    }

    [Fact]
    public void Fp4Rows_Mxfp4_EqualsItsBlocks()
    {
        var random = new Random(8);
        var (rows, columns) = (5, 96);
        var (packed, scales) = (new byte[rows * columns / 2], new byte[rows * columns / 32]);
        random.NextBytes(packed);
        for (var i = 0; i < scales.Length; i++)
            scales[i] = (byte)random.Next(255); // 255 means no number in the specification; ggml takes it for 2^128
        using var nativePacked = TensorFile.Native(packed);
        using var nativeScales = TensorFile.Native(scales);
        var expected = new float[rows * columns];
        float[] fp4 = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = fp4[packed[i / 2] >> i % 2 * 4 & 15] * MathF.ScaleB(1, scales[i / 32] - 127);
        var decoder = Fp4Rows.Mxfp4(rows, columns, MemoryRegion.Of(nativePacked), MemoryRegion.Of(nativeScales));
        var (row, blocks, decoded) = (new float[columns], new byte[columns / 32 * 17], new float[columns]);
        for (var r = 0; r < rows; r++)
        {
            decoder.DecodeRow(r, row);
            Assert.Equal(expected[(r * columns)..((r + 1) * columns)], row); // the two zeros are equal
            Fp4Rows.ToBlocks(packed.AsSpan(r * columns / 2, columns / 2), scales.AsSpan(r * columns / 32, columns / 32), blocks);
            BlockFormats.Get(TensorType.MXFP4).Decode(blocks, decoded);
            Assert.Equal(row, decoded);
        }
    }

    [Fact]
    public void Fp4Rows_Nvfp4_DividesByTheGlobalScale()
    {
        using var packed = TensorFile.Native([0x21, 0, 0, 0, 0, 0, 0, 0xF7]);
        using var scales = TensorFile.Native([0x40]); // 2
        var row = new float[16];
        Fp4Rows.Nvfp4(1, 16, MemoryRegion.Of(packed), MemoryRegion.Of(scales), 4).DecodeRow(0, row);
        Assert.Equal([0.25f, 0.5f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, -3], row);
        Assert.Throws<ArgumentException>(() => Fp4Rows.Nvfp4(1, 32, MemoryRegion.Of(packed), MemoryRegion.Of(scales), 1));
        Assert.Throws<ArgumentException>(() => Fp4Rows.Nvfp4(1, 8, MemoryRegion.Of(packed), MemoryRegion.Of(scales), 1));
    }

    private static float[] Maxima(QuantizationFixture fixture, JsonElement item)
    {
        if (!item.GetProperty("nested").GetBoolean())
            return fixture.Array<float>(item.GetProperty("absmax")).ToArray();
        var offset = BitConverter.Int32BitsToSingle(item.GetProperty("nested_offset_bits").GetInt32());
        var maxima = FourBitRows.Nested(fixture.Bytes(item.GetProperty("absmax")), fixture.Array<float>(item.GetProperty("nested_map")),
            fixture.Array<float>(item.GetProperty("nested_absmax")), item.GetProperty("nested_blocksize").GetInt32(), offset);
        Floats.AssertSameBits(fixture.Array<float>(item.GetProperty("absmax_decoded")), maxima, "nested maxima");
        return maxima;
    }

    private static TensorType Type(string name) => name switch
    {
        "f32" or "float32" => TensorType.F32,
        "f16" or "float16" => TensorType.F16,
        _ => TensorType.BF16,
    };

    private static float[] Values(QuantizationFixture fixture, JsonElement array, TensorType type)
    {
        var format = array.GetProperty("dtype").GetString() == "f32" ? TensorType.F32 : type;
        var bytes = fixture.Bytes(array);
        var values = new float[bytes.Length / TensorTypes.BlockBytes(format)];
        BlockFormats.Get(format).Decode(bytes, values);
        return values;
    }
}
