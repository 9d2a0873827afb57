using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;

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

/// <summary>Two blocks a step; an eighth of either vector is a group, so that both share their scales. Codes are moved up by 12.</summary>
internal sealed class NVFP4Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15];

    public override int OrderColumns => 8;

    public override int Offset => 12;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var doubled = b.ConstantBytes("numbers", i => MXFP4.Doubled[i % 16] + 12);
        // Exponent and mantissa of E4M3 are where F16 has them after a shift by 7, and 2⁻⁸ of their worth.
        var scalePlaces = b.ConstantWords("places of scales", i => (i % 16 / 8 * 36 + i % 8 / 2) << 8);
        var magnitude = KernelBuilder.Half(b.ConstantWords("mask of scales", _ => 0x7F << 7));
        var unit = b.ConstantDwords("half of 2⁸", _ => BitConverter.SingleToInt32Bits(128));
        var (upper, numbers) = (w.Mask(0xFFFF_FFFF_0000_0000), w.MaskRegister());
        var (bytes, codes, scale) = (w.Vector("bytes, then upper codes"), w.Vector("lower codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            var words = KernelBuilder.Half(scale);
            w.Load(bytes, 0);
            a.vpermb(scale, scalePlaces, bytes);
            w.LoadHalves(bytes, 4, 40, upper);
            a.vpsrlw(words, words, 1);
            a.vpandd(words, words, magnitude);
            a.vpcmpuw(numbers, words, magnitude, 1);
            a.vcvtph2ps(scale.k(numbers).z, words);
            a.vmulps(scale, scale, unit);
            w.SplitNibbles(bytes, codes, nibble);
            a.vpshufb(codes, doubled, codes);
            a.vpshufb(bytes, doubled, bytes);
            yield return GemvWriter.Multiply(scale, (codes, 0), (bytes, 1));
        }
    }
}
