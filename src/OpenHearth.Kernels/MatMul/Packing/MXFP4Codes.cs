using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -12 to 12: twice the number.</summary>
internal sealed unsafe class MXFP4Codes() : RowCodes(TensorType.MXFP4, 32, hasMins: false, new MXFP4Gemv(), rowLanes: new MXFP4RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var doubled = Vector128.Create(MXFP4.Doubled);
        for (var i = 0; i < columns; i += 32, row += 17)
        {
            *scales++ = MXFP4.HalfScale(row[0]);
            IQ4_NLCodes.StoreSteps(doubled, row + 1, codes + i);
        }
    }
}

/// <summary>Four blocks a step; a quarter of each vector is a block. Codes are moved up by 12.</summary>
internal sealed class MXFP4Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 68;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override int Offset => 12;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var doubled = b.ConstantBytes("numbers", i => MXFP4.Doubled[i % 16] + 12);
        var places = b.ConstantBytes("places of nibbles", i => i < 48 ? 1 + i / 16 * 17 + i % 16 : i);
        var scalePlaces = b.ConstantDwords("places of exponents", i => i / 4 * 17);
        var one = b.ConstantDwords("one", _ => 1);
        var last = w.Mask(0xFFFF_0000_0000_0000);
        var lowest = w.Mask(0x1111_1111_1111_1111);
        var (bytes, rest, low, scale) = (w.Vector("bytes, then upper codes"), b.Vector("last bytes"), w.Vector("lower codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermb(scale.k(lowest).z, scalePlaces, rest);
            // 2^(e - 128); the two smallest, which are subnormal, become 0.
            a.vpmaxud(scale, scale, one);
            a.vpsubd(scale, scale, one);
            a.vpslld(scale, scale, 23);
            w.Load(rest, 4);
            a.vpermb(bytes.k(last), places, rest);
            w.SplitNibbles(bytes, low, nibble);
            a.vpshufb(low, doubled, low);
            a.vpshufb(bytes, doubled, bytes);
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
        }
    }
}

/// <summary>As <see cref="NibbleRowLanes"/>, with an exponent for a scale. Codes are moved up by 12.</summary>
internal sealed class MXFP4RowLanes : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 17;

    public override int Offset => 12;

    public override Action Write(RowLaneWriter w)
    {
        var (a, scale, one) = (w.Asm, w.Builder.Vector("scales"), w.Builder.ConstantDwords("one", _ => 1));
        var place = w.Reserve(1);
        var nibbles = new RowLaneNibbles(w, nibble => MXFP4.Doubled[nibble] + 12);
        return () =>
        {
            w.Gather(place, 0, 1);
            nibbles.Load(1);
            w.Multiply(0, nibbles.Codes, scale, scale, () =>
            {
                // 2^(e - 128); the two smallest, which are subnormal, become 0.
                a.vpmovzxbd(scale, __xmmword_ptr[RowLaneWriter.Own(place)]);
                a.vpmaxud(scale, scale, one);
                a.vpsubd(scale, scale, one);
                a.vpslld(scale, scale, 23);
            });
        };
    }
}
