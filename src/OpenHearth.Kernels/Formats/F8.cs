namespace OpenHearth.Kernels.Formats;

/// <summary>
/// FP8 of the "fn" kind: sign, 4 exponent bits (bias 7), 3 mantissa bits; no infinities, 0x7F and 0xFF are NaN, the
/// largest value is 448 (source: "FP8 Formats for Deep Learning", arXiv 2209.05433).
/// </summary>
internal sealed class F8_E4M3() : BlockFormat(TensorType.F8_E4M3)
{
    /// <summary>The value of each of the 256 codes.</summary>
    internal static readonly float[] Values = [.. Enumerable.Range(0, 256).Select(code => ToSingle((byte)code))];

    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) => values[0] = Values[block[0]];

    private static float ToSingle(byte code)
    {
        var (exponent, mantissa) = ((code >> 3) & 15, code & 7);
        var magnitude = (exponent, mantissa) switch
        {
            (15, 7) => float.NaN,
            (0, _) => mantissa / 512f, // 2^-6 / 8
            _ => MathF.ScaleB(8 + mantissa, exponent - 10),
        };
        return code < 128 ? magnitude : -magnitude;
    }
}

/// <summary>FP8 with 5 exponent bits and 2 mantissa bits: the upper byte of an F16, with its infinities and NaN.</summary>
internal sealed class F8_E5M2() : BlockFormat(TensorType.F8_E5M2)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = (float)BitConverter.UInt16BitsToHalf((ushort)(block[0] << 8));
}
