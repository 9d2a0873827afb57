using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 3.</summary>
internal sealed unsafe class Q2_KCodes() : RowCodes(TensorType.Q2_K, 16, hasMins: true, new Q2_KGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 84, codes += 256, scales += 16, mins += 16)
        {
            var (d, dmin) = (Half(row + 80), -Half(row + 82));
            for (var g = 0; g < 16; g += 8)
            {
                var packed = *(ulong*)(row + g);
                (Singles(packed & 0x0F0F0F0F0F0F0F0F) * d).Store(scales + g);
                (Singles(packed >> 4 & 0x0F0F0F0F0F0F0F0F) * dmin).Store(mins + g);
            }
            for (var half = 0; half < 2; half++)
            {
                var bits = Vector256.Load(row + 16 + 32 * half);
                for (var k = 0; k < 4; k++)
                    (bits >> 2 * k & Vector256.Create((byte)3)).Store((byte*)codes + 128 * half + 32 * k);
            }
        }
    }
}

/// <summary>A block a step. A vector holds 32 codes of the first half and 32 of the second.</summary>
internal sealed class Q2_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 84;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -1;

    public override Action Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var nibble = b.ConstantDwords("nibble mask", _ => 15);
        var lanes = Enumerable.Range(0, 4).Select(k => b.ConstantDwords($"groups {k}", i => 2 * k + i / 4 % 2 + i / 8 * 8)).ToArray();
        var (bits, codes, scales, mins, factor) =
            (b.Vector("bits"), b.Vector("codes"), b.Vector("scales"), b.Vector("minimums"), b.Vector("factor, then scales of lanes"));
        return () =>
        {
            a.vpmovzxbd(scales, __xmmword_ptr[w.Block]);
            a.vpsrld(mins, scales, 4);
            a.vpandd(scales, scales, nibble);
            a.vcvtdq2ps(mins, mins);
            a.vcvtdq2ps(scales, scales);
            w.BroadcastHalf(factor, 80);
            a.vmulps(scales, scales, factor);
            w.BroadcastHalf(factor, 82);
            a.vmulps(mins, mins, factor);
            a.vmovdqu64(bits, __zmmword_ptr[w.Block + 16]);
            for (var k = 0; k < 4; k++)
            {
                a.vpandd(codes, bits, three);
                a.vpermps(factor, lanes[k], scales);
                w.Multiply(factor, (codes, k));
                if (k < 3)
                    a.vpsrlw(bits, bits, 2);
            }
            w.AddSums(mins);
        };
    }
}
