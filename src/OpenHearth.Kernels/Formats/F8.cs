using System.Runtime.Intrinsics;

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

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; end - block >= 16; block += 16, to += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.WidenLower(Vector256.Create(Vector128.Load(block), default)));
            ToSingle(lower).Store(to);
            ToSingle(upper).Store(to + 8);
        }
        for (; block < end; block++)
            *to++ = Values[*block];
    }

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

    private static Vector256<float> ToSingle(Vector256<uint> code)
    {
        var magnitude = code & Vector256.Create(127u);
        var sign = (code ^ magnitude) << 24;
        var normal = (magnitude << 20) + Vector256.Create(120u << 23);
        var subnormal = Vector256.ConvertToSingle(magnitude.AsInt32()) * Vector256.Create(1 / 512f);
        var isSubnormal = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(8)).AsUInt32();
        var nan = Vector256.Equals(magnitude, Vector256.Create(127u)) & Vector256.Create(0x7FC0_0000u);
        return (Vector256.ConditionalSelect(isSubnormal, subnormal.AsUInt32(), normal) | sign | nan).AsSingle();
    }
}

/// <summary>FP8 with 5 exponent bits and 2 mantissa bits: the upper byte of an F16, with its infinities and NaN.</summary>
internal sealed class F8_E5M2() : BlockFormat(TensorType.F8_E5M2)
{
    protected override void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = (float)BitConverter.UInt16BitsToHalf((ushort)(block[0] << 8));

    private protected override unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; end - block >= 16; block += 16, to += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.WidenLower(Vector256.Create(Vector128.Load(block), default)) << 8);
            F16.ToSingle(lower).Store(to);
            F16.ToSingle(upper).Store(to + 8);
        }
        for (; block < end; block++)
            *to++ = (float)BitConverter.UInt16BitsToHalf((ushort)(*block << 8));
    }
}
