using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -4 to 3.</summary>
internal sealed unsafe class Q3_KCodes() : RowCodes(TensorType.Q3_K, 16, hasMins: false, new Q3_KGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 110, codes += 256, scales += 16)
        {
            UnpackScales(row + 96, Half(row + 108), scales);
            var high = Vector256.Load(row);
            for (var k = 0; k < 8; k++)
            {
                var low = Vector256.Load(row + 32 + 32 * (k / 4)) >> 2 * (k % 4) & Vector256.Create((byte)3);
                // Without the third bit a code lies 4 lower.
                var missing = Vector256.Equals(high & Vector256.Create((byte)(1 << k)), Vector256<byte>.Zero) & Vector256.Create((byte)0xFC);
                (low | missing).Store((byte*)codes + 32 * k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackScales(byte* packed, float d, float* scales)
    {
        var low = *(ulong*)packed;
        ulong high = *(uint*)(packed + 8);
        var first = low & 0x0F0F0F0F0F0F0F0F | (high & 0x03030303 | (high >> 2 & 0x03030303) << 32) << 4;
        var second = low >> 4 & 0x0F0F0F0F0F0F0F0F | (high >> 4 & 0x03030303 | (high >> 6 & 0x03030303) << 32) << 4;
        ((Singles(first) - Vector256.Create(32f)) * d).Store(scales);
        ((Singles(second) - Vector256.Create(32f)) * d).Store(scales + 8);
    }
}

/// <summary>A block a step. A vector holds 32 codes of the first half and 32 of the second, moved up by 4.</summary>
internal sealed class Q3_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 110;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -4;

    public override Action Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("low bits", 3);
        var four = b.ConstantBytes("high bit", 4);
        var turn = b.ConstantQwords("turns of high bits", i => i < 4 ? 2 : 62);
        var lanes = Enumerable.Range(0, 4).Select(k => b.ConstantDwords($"groups {k}", i => 2 * k + i / 4 % 2 + i / 8 * 8)).ToArray();
        // Scales are 16 bytes from byte 94 on: the lower parts from byte 2 of them, the upper ones from byte 10.
        var lowPlaces = b.ConstantBytes("places of scales, low", i => 2 + i % 8);
        var highPlaces = b.ConstantBytes("places of scales, high", i => 10 + i % 4);
        var lowTurn = b.ConstantBytes("turns of scales, low", i => i % 8 * 8 + i / 8 * 4);
        var highTurn = b.ConstantBytes("turns of scales, high", i => (i % 4 * 8 + i / 4 * 2 + 60) % 64);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var upperBits = b.ConstantBytes("mask of scales, high", 48);
        var thirtyTwo = b.ConstantDwords("thirty-two", _ => 32);
        var (bits, high, codes, scales, factor) = (b.Vector("bits"), b.Vector("high bits"), b.Vector("codes"), b.Vector("scales"), b.Vector("scales of lanes"));
        return () =>
        {
            var (scale, rest) = (KernelBuilder.Quarter(scales), KernelBuilder.Quarter(factor));
            a.vmovdqu64(rest, __xmmword_ptr[w.Block + 94]);
            a.vpshufb(scale, rest, KernelBuilder.Quarter(lowPlaces));
            a.vpshufb(rest, rest, KernelBuilder.Quarter(highPlaces));
            a.vpmultishiftqb(scale, KernelBuilder.Quarter(lowTurn), scale);
            a.vpmultishiftqb(rest, KernelBuilder.Quarter(highTurn), rest);
            a.vpandd(scale, scale, KernelBuilder.Quarter(nibble));
            a.vpternlogd(scale, rest, KernelBuilder.Quarter(upperBits), GemvWriter.OrAnd);
            a.vpmovzxbd(scales, scale);
            a.vpsubd(scales, scales, thirtyTwo);
            a.vcvtdq2ps(scales, scales);
            w.BroadcastHalf(factor, 108);
            a.vmulps(scales, scales, factor);

            a.vbroadcasti64x4(high, __ymmword_ptr[w.Block]);
            a.vprolvq(high, high, turn);
            a.vmovdqu64(bits, __zmmword_ptr[w.Block + 32]);
            for (var k = 0; k < 4; k++)
            {
                a.vpandd(codes, bits, three);
                a.vpternlogd(codes, high, four, GemvWriter.OrAnd);
                a.vpermps(factor, lanes[k], scales);
                w.Multiply(factor, (codes, k));
                if (k == 3)
                    continue;
                a.vpsrlw(bits, bits, 2);
                a.vprorq(high, high, 1);
            }
            w.AddSums(scales);
        };
    }
}
