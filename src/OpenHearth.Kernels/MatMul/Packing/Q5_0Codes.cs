using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -16 to 15.</summary>
internal sealed unsafe class Q5_0Codes() : RowCodes(TensorType.Q5_0, 32, hasMins: false, new Q5_0Gemv(), rowLanes: new Q5_0RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 22, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 22)
        {
            // Without the fifth bit a code lies 16 lower: in two's complement, that is its upper bits set.
            var low = Vector256.AndNot(Vector256.Create((byte)0xF0), Spread(*(uint*)(row + 2)));
            (Nibbles(row + 6) | low).Store((byte*)codes + i);
        }
    }
}

/// <summary>Four blocks a step; a quarter of each vector is a block. Codes 0 to 31.</summary>
internal sealed class Q5_0Gemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 88;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override int Offset => 16;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var sixteen = b.ConstantBytes("fifth bit", 16);
        // Blocks 0 and 1 are taken from bytes 0 to 63, block 3 and the nibbles of block 2 from bytes 24 to 87.
        var places = b.ConstantBytes("places of nibbles", i => 6 + i / 16 * 22 + i % 16 - (i < 32 ? 0 : 24));
        // The lower halves of the fifth bits of four blocks, the upper ones, nothing, and then scales for each lane.
        var wordPlaces = b.ConstantWords("places of fifth bits and scales", i =>
        {
            var (block, word) = i < 16 ? (i % 4, i < 4 ? 1 : 2) : (i % 16 / 4, 0);
            return block * 11 + word - (block < 3 ? 0 : 12);
        });
        var lastTwo = w.Mask(0xFFFF_FFFF_0000_0000);
        var lastWords = w.Mask(0xF000_0088);
        var (bytes, rest, low, scale) = (w.Vector("bytes, then upper codes"), b.Vector("last bytes"), w.Vector("lower codes"), w.Vector("fifth bits, then scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermw(scale, wordPlaces, rest);
            w.Load(rest, 24);
            a.vpermb(bytes.k(lastTwo), places, rest);
            a.vpermw(scale.k(lastWords), wordPlaces, rest);
            w.SplitNibbles(bytes, low, nibble);
            w.AddBits(scale, 0, low, sixteen);
            w.AddBits(scale, 8, bytes, sixteen);
            a.vextracti64x4(KernelBuilder.Half(scale), scale, 1);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
        }
    }
}

/// <summary>A block a step: scale and fifth bits come first, then nibbles as in <see cref="NibbleRowLanes"/>. Codes 0 to 31.</summary>
internal sealed class Q5_0RowLanes : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 22;

    public override int Offset => 16;

    public override Action Write(RowLaneWriter w)
    {
        var (a, scale) = (w.Asm, w.Builder.Vector("scales"));
        var (nibbles, fifth) = (new RowLaneNibbles(w), new RowLaneFifthBits(w));
        return () =>
        {
            var (head, next) = nibbles.LoadHead();
            a.vpsrld(fifth.Bits, head, 16);
            a.vpslld(next, next, 16);
            a.vpord(fifth.Bits, fifth.Bits, next);
            a.vpmovdw(KernelBuilder.Half(scale), head);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            nibbles.Load(6);
            fifth.AddTo(nibbles);
            w.Multiply(0, nibbles.Codes, scale, scale, () => { });
        };
    }
}
