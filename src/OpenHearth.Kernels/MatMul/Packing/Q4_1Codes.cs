using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 15.</summary>
internal sealed unsafe class Q4_1Codes() : RowCodes(TensorType.Q4_1, 32, hasMins: true, new Q4_1Gemv(), rowLanes: new Q4_1RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 20, columns / 32, scales);
        Halves(row + 2, 20, columns / 32, mins);
        for (var i = 0; i < columns; i += 32, row += 20)
            Nibbles(row + 4).Store((byte*)codes + i);
    }
}

/// <summary>Four blocks a step; a quarter of each vector is a block. Codes 0 to 15.</summary>
internal sealed class Q4_1Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 80;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override ReadOnlySpan<sbyte> Sums => [0, -1, -1, -1, 2, -1, -1, -1, 4, -1, -1, -1, 6, -1, -1, -1];

    public override float SumFactor => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        // The first three blocks lie in bytes 0 to 63, as do all scales; the nibbles of the last block in bytes 64 to 79.
        var places = b.ConstantBytes("places of nibbles", i => i < 48 ? 4 + i / 16 * 20 + i % 16 : i);
        var scalePlaces = b.ConstantWords("places of scales and minimums", i => i % 16 / 4 * 10 + i / 16);
        var last = w.Mask(0xFFFF_0000_0000_0000);
        var (bytes, rest, low, scale, min) =
            (w.Vector("bytes, then upper codes"), b.Vector("last bytes"), w.Vector("lower codes"), w.Vector("scales"), w.Vector("minimums"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermw(scale, scalePlaces, rest);
            a.vextracti64x4(KernelBuilder.Half(min), scale, 1);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            a.vcvtph2ps(min, KernelBuilder.Half(min));
            w.Load(rest, 16);
            a.vpermb(bytes.k(last), places, rest);
            w.SplitNibbles(bytes, low, nibble);
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
            yield return GemvWriter.AddSums(min);
        }
    }
}

/// <summary>As <see cref="NibbleRowLanes"/>; scale and minimum of a row are gathered as one double word.</summary>
internal sealed class Q4_1RowLanes : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 20;

    public override bool HasMins => true;

    public override Action Write(RowLaneWriter w)
    {
        var (a, scale, min) = (w.Asm, w.Builder.Vector("scales"), w.Builder.Vector("minimums"));
        var place = w.Reserve(1);
        var nibbles = new RowLaneNibbles(w);
        return () =>
        {
            w.Gather(place, 0, 4);
            nibbles.Load(4);
            w.Multiply(0, nibbles.Codes, scale, min, () =>
            {
                a.vmovdqu64(scale, __zmmword_ptr[RowLaneWriter.Own(place)]);
                RowLaneWriter.Halves(a, scale, min);
            });
        };
    }
}
