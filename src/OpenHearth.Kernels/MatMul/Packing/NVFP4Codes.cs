using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -12 to 12: twice the number.</summary>
internal sealed unsafe class NVFP4Codes() : RowCodes(TensorType.NVFP4, 16, hasMins: false, new NVFP4Gemv(), rowLanes: new NVFP4RowLanes())
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

/// <summary>A block a step. Codes are moved up by 12.</summary>
internal sealed class NVFP4RowLanes : RowLaneCode
{
    public override int FewestTokens => 5;

    public override int Group => 16;

    public override int StepColumns => 64;

    public override int StepBytes => 36;

    public override int Offset => 12;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var scale = b.Vector("scales");
        var most = b.ConstantDwords("scale that is 0, and mask of scales", _ => 127);
        // Exponent and mantissa of E4M3 are where F32 has them after a shift by 20, and 2⁻¹²⁰ of their worth.
        var unit = b.ConstantDwords("half of 2¹²⁰", _ => BitConverter.SingleToInt32Bits(MathF.ScaleB(1, 119)));
        var place = w.Reserve(1);
        var nibbles = new RowLaneNibbles(w, nibble => MXFP4.Doubled[nibble] + 12);
        return () =>
        {
            w.Gather(place, 0, 4);
            for (var group = 0; group < 4; group++)
            {
                var (first, shift) = (group % 2 * 2, (byte)(8 * group));
                if (group % 2 == 0)
                    nibbles.Load(4 + 8 * group);
                w.Multiply(group, four => nibbles.Codes(first + four % 2 + four / 2 * 4), scale, scale, () => Scales(shift));
            }
        };

        void Scales(byte shift)
        {
            a.vpsrld(scale, __zmmword_ptr[RowLaneWriter.Own(place)], shift);
            a.vpandd(scale, scale, most);
            a.vpcmpud(k1, scale, most, 1);
            a.vpslld(scale, scale, 20);
            a.vmulps(scale.k1.z, scale, unit);
        }
    }
}
