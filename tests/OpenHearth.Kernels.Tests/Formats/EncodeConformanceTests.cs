using System.Text.Json;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.Tests.Formats;

/// <summary>Encoding writes the bytes that ggml writes.</summary>
public class EncodeConformanceTests
{
    public static TheoryData<TensorType> Types =>
        [.. BlockFormats.All.Where(format => format.CanEncode && format.BlockSize > 1).Select(format => format.Type)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Encode_RowsOfTheFixture_SameBytesAsGgml(TensorType type)
    {
        var fixture = QuantizationFixture.Open("ggml");
        var entry = fixture.Type(type.ToString());
        var failures = new List<string>();
        var rows = 0;
        foreach (var item in entry.GetProperty("cases").EnumerateArray())
            rows += Compare(fixture, BlockFormats.Get(type), item, failures);
        Assert.True(rows > 20);
        Assert.True(failures.Count == 0, $"{type}: {failures.Count} of {rows} rows differ: {string.Join("; ", failures)}");
    }

    [Fact]
    public void Encode_HalfTable_SameBits()
    {
        var fixture = QuantizationFixture.Open("ggml");
        var half = fixture.Manifest.GetProperty("half").GetProperty("values");
        var values = fixture.Array<float>(half.GetProperty("f32_bits"));
        var actual = new byte[2 * values.Length];
        BlockFormats.Get(TensorType.F16).Encode(values, actual);
        Assert.True(fixture.Bytes(half.GetProperty("f16_bits")).SequenceEqual(actual), "F16");
        BlockFormats.Get(TensorType.BF16).Encode(values, actual);
        Assert.True(fixture.Bytes(half.GetProperty("bf16_bits")).SequenceEqual(actual), "BF16");
    }

    private static int Compare(QuantizationFixture fixture, BlockFormat format, JsonElement item, List<string> failures)
    {
        var name = item.GetProperty("input").GetString()!;
        var input = fixture.Manifest.GetProperty("inputs").GetProperty(name);
        var width = QuantizationFixture.Shape(input.GetProperty("values"))[1];
        var names = input.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("name").GetString()!).ToArray();
        var columns = item.GetProperty("columns").GetInt32();
        var importance = item.GetProperty("imatrix").GetBoolean()
            ? fixture.Array<float>(fixture.Manifest.GetProperty("inputs").GetProperty("imatrix"))[..columns]
            : [];
        var indices = item.GetProperty("rows").ValueKind == JsonValueKind.Array
            ? item.GetProperty("rows").EnumerateArray().Select(row => row.GetInt32()).ToArray()
            : [.. Enumerable.Range(0, names.Length)];
        var rowBytes = columns / format.BlockSize * format.BlockBytes;
        foreach (var (position, row) in indices.Index())
        {
            var actual = new byte[rowBytes];
            Random.Shared.NextBytes(actual);
            var values = fixture.Array<float>(input.GetProperty("values")).Slice(row * width, columns);
            format.Encode(values, importance, actual);
            if (IsOtherwise(format.Type, names[row]))
            {
                var (error, limit) = (RootMeanSquareError(format, values, actual), item.GetProperty("rmse")[position].GetDouble());
                if (error > (format.Type == TensorType.IQ3_S ? 0.6 : 2.1) * limit)
                    failures.Add($"{names[row]} × {columns}: an error of {error}, ggml has {limit}");
                continue;
            }
            var skipped = item.TryGetProperty("skip_bytes", out var skip) && skip.TryGetProperty(names[row], out _)
                && skip.GetProperty(names[row]).GetString()!.Contains("undefined", StringComparison.Ordinal);
            var expected = fixture.Bytes(item.GetProperty("bytes")).Slice(position * rowBytes, rowBytes);
            if (!skipped && !expected.SequenceEqual(actual))
                failures.Add($"{names[row]} × {columns}{(importance.IsEmpty ? "" : " weighted")} at byte {expected.CommonPrefixLength(actual)}");
        }
        return indices.Length;
    }

    /// <summary>
    /// Rows whose bytes are not ggml's. IQ1_M: ggml rewrote the search, so that its own versions differ; this is the older one. IQ3_S: ggml skips a
    /// group of zeros without leaving room for its codes, which puts those behind it in the wrong place.
    /// </summary>
    private static bool IsOtherwise(TensorType type, string row) => type switch
    {
        TensorType.IQ1_M => row is "equal_negative" or "equal_positive" or "gauss_offset" or "ramp" or "ternary" or "zero_groups" or "zero_mix",
        TensorType.IQ3_S => row is "zero_mix" or "single_nonzero" or "zero_groups",
        _ => false,
    };

    private static double RootMeanSquareError(BlockFormat format, ReadOnlySpan<float> values, ReadOnlySpan<byte> blocks)
    {
        var decoded = new float[values.Length];
        format.DecodeScalar(blocks, decoded);
        var sum = 0.0;
        for (var i = 0; i < decoded.Length; i++)
            sum += Math.Pow((double)decoded[i] - values[i], 2);
        return Math.Sqrt(sum / decoded.Length);
    }
}
