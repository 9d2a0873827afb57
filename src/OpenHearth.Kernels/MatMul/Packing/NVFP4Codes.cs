using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -12 to 12: twice the number.</summary>
internal sealed unsafe class NVFP4Codes() : RowCodes(TensorType.NVFP4, 16, hasMins: false, new NVFP4Gemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var doubled = Vector128.Create(MXFP4.Doubled);
        for (var i = 0; i < columns; i += 64, row += 36)
        {
            for (var g = 0; g < 4; g++, codes += 16)
            {
                *scales++ = NVFP4.HalfScale(row[g]);
                var bytes = *(ulong*)(row + 4 + 8 * g);
                var nibbles = Vector128.Create(bytes & 0x0F0F0F0F0F0F0F0F, bytes >> 4 & 0x0F0F0F0F0F0F0F0F).AsSByte();
                Vector128.Shuffle(doubled, nibbles).Store(codes);
            }
        }
    }
}

/// <summary>A block a step; a quarter of its vector is a group. Codes are moved up by 12.</summary>
internal sealed class NVFP4Gemv : GemvCode
{
    public override int StepColumns => 64;

    public override int StepBytes => 36;

    public override ReadOnlySpan<byte> Order => [0, 1, 2, 3];

    public override int Offset => 12;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var doubled = b.ConstantBytes("numbers", i => MXFP4.Doubled[i % 16] + 12);
        var eights = b.ConstantQwords("places of eights", i => i / 2);
        var shifts = b.ConstantQwords("shifts of nibbles", i => i % 2 * 4);
        // Exponent and mantissa of E4M3 are where F16 has them after a shift by 7, and 2⁻⁸ of their worth.
        var scalePlaces = KernelBuilder.Half(b.ConstantWords("places of scales", i => i / 4 | 0x8000));
        var magnitude = KernelBuilder.Half(b.ConstantWords("mask of scales", _ => 0x7F << 7));
        var unit = b.ConstantDwords("half of 2⁸", _ => BitConverter.SingleToInt32Bits(128));
        var numbers = w.MaskRegister();
        var (codes, scale) = (w.Vector("codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqu64(KernelBuilder.Half(codes), __ymmword_ptr[w.Block + 4]);
            a.vpermq(codes, eights, codes);
            a.vpsrlvq(codes, codes, shifts);
            a.vpandd(codes, codes, nibble);
            a.vpshufb(codes, doubled, codes);
            a.vpbroadcastd(KernelBuilder.Half(scale), __dword_ptr[w.Block]);
            a.vpshufb(KernelBuilder.Half(scale), KernelBuilder.Half(scale), scalePlaces);
            a.vpsllw(KernelBuilder.Half(scale), KernelBuilder.Half(scale), 7);
            a.vpandd(KernelBuilder.Half(scale), KernelBuilder.Half(scale), magnitude);
            a.vpcmpuw(numbers, KernelBuilder.Half(scale), magnitude, 1);
            a.vcvtph2ps(scale.k(numbers).z, KernelBuilder.Half(scale));
            a.vmulps(scale, scale, unit);
            yield return GemvWriter.Multiply(scale, (codes, 0));
        }
    }
}
