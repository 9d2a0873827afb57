using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 31.</summary>
internal sealed unsafe class Q5_1Codes() : RowCodes(TensorType.Q5_1, 32, hasMins: true, new Q5_1Gemv(), rowLanes: new Q5_1RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 24, columns / 32, scales);
        Halves(row + 2, 24, columns / 32, mins);
        for (var i = 0; i < columns; i += 32, row += 24)
            (Nibbles(row + 8) | Spread(*(uint*)(row + 4)) & Vector256.Create((byte)16)).Store((byte*)codes + i);
    }
}

/// <summary>Four blocks a step; a quarter of each vector is a block. Codes 0 to 31.</summary>
internal sealed class Q5_1Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 96;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override ReadOnlySpan<sbyte> Sums => [0, -1, -1, -1, 2, -1, -1, -1, 4, -1, -1, -1, 6, -1, -1, -1];

    public override float SumFactor => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var sixteen = b.ConstantBytes("fifth bit", 16);
        // Blocks 0 and 1 are taken from bytes 0 to 63, block 3 and the nibbles of block 2 from bytes 32 to 95.
        var places = b.ConstantBytes("places of nibbles", i => 8 + i / 16 * 24 + i % 16 - (i < 32 ? 0 : 32));
        var scalePlaces = b.ConstantWords("places of scales and minimums", i => Word(i % 16 / 4, i / 16));
        var bitPlaces = b.ConstantWords("places of fifth bits", i => Word(i % 4, 2 + i / 4 % 2));
        var lastTwo = w.Mask(0xFFFF_FFFF_0000_0000);
        var lastScales = w.Mask(0xF000_F000);
        var lastBits = w.Mask(0x88);
        var (bytes, rest, low, scale, min, bits) =
            (w.Vector("bytes, then upper codes"), b.Vector("last bytes"), w.Vector("lower codes"), w.Vector("scales"), w.Vector("minimums"), w.Vector("fifth bits"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermw(scale, scalePlaces, rest);
            a.vpermw(bits, bitPlaces, rest);
            w.Load(rest, 32);
            a.vpermb(bytes.k(lastTwo), places, rest);
            a.vpermw(scale.k(lastScales), scalePlaces, rest);
            a.vpermw(bits.k(lastBits), bitPlaces, rest);
            w.SplitNibbles(bytes, low, nibble);
            w.AddBits(bits, 0, low, sixteen);
            w.AddBits(bits, 8, bytes, sixteen);
            a.vextracti64x4(KernelBuilder.Half(min), scale, 1);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            a.vcvtph2ps(min, KernelBuilder.Half(min));
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
            yield return GemvWriter.AddSums(min);
        }

        static int Word(int block, int word) => block * 12 + word - (block < 3 ? 0 : 16);
    }
}

/// <summary>A block a step: scale, minimum and fifth bits come first, then nibbles as in <see cref="NibbleRowLanes"/>. Codes 0 to 31.</summary>
internal sealed class Q5_1RowLanes : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 24;

    public override bool HasMins => true;

    public override Action Write(RowLaneWriter w)
    {
        var (a, scale, min) = (w.Asm, w.Builder.Vector("scales"), w.Builder.Vector("minimums"));
        var (nibbles, fifth) = (new RowLaneNibbles(w), new RowLaneFifthBits(w));
        return () =>
        {
            var (head, bits) = nibbles.LoadHead();
            a.vmovdqa64(scale, head);
            a.vmovdqa64(fifth.Bits, bits);
            RowLaneWriter.Halves(a, scale, min);
            nibbles.Load(8);
            fifth.AddTo(nibbles);
            w.Multiply(0, nibbles.Codes, scale, min, () => { });
        };
    }
}
