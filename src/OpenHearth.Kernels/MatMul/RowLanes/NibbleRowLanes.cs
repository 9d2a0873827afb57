using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>Q4_0 and IQ4_NL: a block a step, a scale in half precision, then the nibbles of 32 columns.</summary>
/// <param name="offset">What was added to codes to make them unsigned.</param>
/// <param name="code">The code of a nibble; null where it is the nibble.</param>
internal sealed class NibbleRowLanes(int offset, Func<int, int>? code = null) : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 18;

    public override int Offset => offset;

    public override Action Write(RowLaneWriter w)
    {
        var scale = w.Builder.Vector("scales");
        var place = w.Reserve(1);
        var nibbles = new RowLaneNibbles(w, code);
        return () =>
        {
            w.Gather(place, 0, 2);
            nibbles.Load(2);
            w.Multiply(0, nibbles.Codes, scale, scale, () => w.Asm.vcvtph2ps(scale, __ymmword_ptr[RowLaneWriter.Own(place)]));
        };
    }
}
