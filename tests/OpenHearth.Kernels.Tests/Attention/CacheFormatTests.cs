using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Tests.Vectors;

namespace OpenHearth.Kernels.Tests.Attention;

public sealed unsafe class CacheFormatTests
{
    private const int Tokens = CacheFormat.BlockTokens;

    public static MatrixTheoryData<string, int> Planes { get; } = new(CacheFormat.All.Select(format => format.Name), [1, 2, 5, 16, 31, 32, 33, 36, 48, 64, 80, 129]);

    [Theory]
    [MemberData(nameof(Planes))]
    public void Plane_OfTokensInAnyOrder_GivesThemBackAsPrecisely_AsTheFormatCan(string name, int width)
    {
        var format = CacheFormat.All.Single(format => format.Name == name);
        foreach (var isKey in format.SealsKeys ? [false] : new[] { true, false })
        {
            var columns = isKey ? width : CacheFormat.Padded(width);
            using var plane = new NativeBuffer<byte>(format.PlaneBytes(columns));
            using var scratch = new NativeBuffer<float>((long)columns * Tokens);
            plane.Span.Fill(0x7F); // what is left of others must not show
            var tokens = Enumerable.Range(0, Tokens).OrderBy(t => t * 37 % Tokens).ToArray();
            foreach (var t in tokens)
            {
                fixed (float* row = Row(t, width))
                {
                    if (isKey)
                        format.StoreKey(row, plane.Pointer, t, width);
                    else
                        format.StoreValue(row, plane.Pointer, t, width, Part(width));
                }
            }
            var loaded = isKey ? format.LoadKeys(plane.Pointer, width, scratch.Pointer) : format.LoadValues(plane.Pointer, columns, scratch.Pointer);
            foreach (var t in tokens)
            {
                for (var i = 0; i < width; i++)
                {
                    var actual = loaded[isKey ? (i * Tokens) + t : (t * columns) + i];
                    var expected = Twin(name, Row(t, width), i);
                    Assert.True(expected.Equals(actual), $"{name}, {(isKey ? "key" : "value")} of {width}, token {t}, value {i}: {actual}, expected {expected}");
                }
            }
        }
    }

    [Fact]
    public void Decoding_AtEveryWidthOfVector_GivesTheSameBits()
    {
        foreach (var width in new[] { 5, 16, 33, 48, 64, 80 })
        {
            var padded = CacheFormat.Padded(width);
            using var plane = new NativeBuffer<byte>(CacheFormat.F32.PlaneBytes(padded));
            new Random(3).NextBytes(plane.Span); // every code, every scale, infinities among them
            using var target = new NativeBuffer<float>((long)padded * Tokens);
            byte* codes = plane.Pointer;
            float* y = target.Pointer;
            var scales = (ushort*)(codes + (width * Tokens));
            for (var i = 0; i < 1024; i++)
                scales[i] = (ushort)(scales[i] & 0xFBFF); // no infinite scales: those are never written
            Same(new BF16CacheFormat.Widen { Source = (ushort*)codes, Target = y }, width, target, width * Tokens);
            Same(new Q8_0CacheFormat.DecodeKeys { Codes = (sbyte*)codes, Scales = scales, Target = y }, width, target, width * Tokens);
            Same(new Q8_0CacheFormat.DecodeValues { Codes = (sbyte*)codes, Scales = scales, Width = padded, Target = y }, Tokens, target, padded * Tokens);
            Same(new Q4_0CacheFormat.DecodeKeys { Codes = codes, Ranges = scales, Width = width, Target = y }, (width + 1) / 2, target, width * Tokens);
            Same(new Q4_0CacheFormat.DecodeValues { Codes = codes, Scales = scales, Width = padded, Target = y }, Tokens, target, padded * Tokens);
        }
    }

    [Theory]
    [InlineData("q8_0", 8.5)]
    [InlineData("q4_0", 4.5)]
    [InlineData("bf16", 16)]
    public void BlockBytes_OfWholeGroups_AreTheBitsThatTheFormatSays(string name, double bits)
    {
        var format = CacheFormat.All.Single(format => format.Name == name);
        var shape = new AttentionShape { Heads = 8, KeyHeads = 2, KeyWidth = 64, ValueWidth = 96, Scale = 1 };
        Assert.Equal(2 * (64 + 96) * Tokens * bits / 8, new CacheFormats(format, format).BlockBytes(shape));
        Assert.Equal(2 * 64 * Tokens * bits / 8, new CacheFormats(format, CacheFormat.F32).BlockBytes(shape with { ValuesInKeys = true }));
    }

    private static void Same<TKernel>(TKernel kernel, int rows, NativeBuffer<float> target, int length) where TKernel : struct, OpenHearth.Kernels.Vectors.IRowKernel
    {
        float[]? first = null;
        EveryWidth.Run(kernel, rows, width =>
        {
            var values = target.Slice(0, length).ToArray();
            first ??= values;
            for (var i = 0; i < length; i++)
                Assert.True(first[i].Equals(values[i]), $"{typeof(TKernel).FullName}, {width}: value {i} is {values[i]}, by single values {first[i]}");
            target.Span.Clear();
        });
    }

    // Large and tiny tokens, zeros, values that no format holds.
    private static float[] Row(int token, int width)
    {
        var row = EveryWidth.Random(token + 1, width, (token % 8) switch { 0 => 0, 1 => 1e-7f, 2 => 3e5f, 3 => 100, _ => 1 });
        if (token % 8 == 4)
            row[token % width] = float.PositiveInfinity;
        if (token % 8 == 5)
            row[token % width] = float.NegativeInfinity;
        if (token % 8 == 6)
            row[token % width] = 1e-42f;
        return row;
    }

    private static float Twin(string name, float[] row, int index)
    {
        if (name == "f32")
            return row[index];
        if (name == "bf16")
            return BitConverter.Int32BitsToSingle((int)((BitConverter.SingleToInt32Bits(row[index]) + 0x7FFFL + ((BitConverter.SingleToInt32Bits(row[index]) >> 16) & 1)) & 0xFFFF0000));
        if (name == "f16")
            return HalfOf(row[index]);
        if (name == "q4_0")
            row = Rotated(row);
        var group = row.Skip(index / 32 * 32).Take(32).ToArray();
        var extreme = group.First(value => Math.Abs(value) == group.Max(Math.Abs));
        var scale = name == "q8_0" ? HalfOf(Math.Abs(extreme) / 127) : HalfOf(extreme / -8);
        if (scale == 0)
            return 0;
        var code = Math.Round(row[index] * (1 / scale));
        return scale * (float)(name == "q8_0" ? Math.Clamp(code, -127, 127) : Math.Clamp(code, -8, 7));
    }

    // Widths of 16 are stored as they are, so that both ways are tested.
    private static int Part(int width) => width == 16 ? 1 : HeadRotation.PartOf(width);

    // The rows of a Hadamard matrix, by the parity of common bits.
    private static float[] Rotated(float[] row)
    {
        var part = Part(row.Length);
        var rotated = new float[row.Length];
        fixed (float* head = row.ToArray())
        {
            HeadRotation.Apply(head, row.Length, part);
            for (var i = 0; i < row.Length; i++)
            {
                var sum = 0.0;
                for (var j = 0; j < part; j++)
                    sum += (System.Numerics.BitOperations.PopCount((uint)(i % part & j)) % 2 == 0 ? 1 : -1) * (double)row[(i / part * part) + j];
                rotated[i] = head[i];
                if (double.IsFinite(sum))
                    Assert.Equal(sum / Math.Sqrt(part), rotated[i], 1e-6 * (1 + row.Max(Math.Abs)) * part);
            }
        }
        return rotated;
    }

    private static float HalfOf(float value) => (float)(Half)Math.Clamp(value, -65504f, 65504f);
}
