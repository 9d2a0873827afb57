using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Q1_0 and Q2_0: a block a step, a scale in half precision, then 16 bytes, each with the codes of neighbouring columns. The same bits of
/// four bytes are a four of columns. Codes 0 and 2, or 0 to 3, moved up by 1.
/// </summary>
/// <param name="bits">Of a code: 1 or 2.</param>
internal sealed class NeighbourRowLanes(int bits) : RowLaneCode
{
    public override int FewestTokens => bits == 1 ? 3 : 2;

    public override int Stride => 8 / bits;

    public override int StepColumns => 128 / bits;

    public override int StepBytes => 18;

    public override int Offset => 1;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (mask, scale) = (b.ConstantBytes("code mask", (byte)(bits == 1 ? 2 : 3)), b.Vector("scales"));
        var (bytes, codes) = (b.Vectors("bytes ", 4), b.Vectors("codes ", 4));
        var place = w.Reserve(1);
        return () =>
        {
            w.Gather(place, 0, 2);
            w.Load(bytes, codes, 2);
            for (var group = 0; group < StepColumns / Group; group++)
            {
                var first = group * Group / 4;
                w.Multiply(group, four => Code(first + four), scale, scale, () => a.vcvtph2ps(scale, __ymmword_ptr[RowLaneWriter.Own(place)]));
            }
        };

        AssemblerRegisterZMM Code(int four)
        {
            var (source, k) = (bytes[four / Stride], four % Stride);
            var code = codes[k % 4];
            var shift = bits * k + bits - 2; // one bit becomes the second of a code
            if (shift < 0)
                a.vpaddb(code, source, source);
            else if (shift > 0)
                a.vpsrlw(code, source, (byte)shift);
            a.vpandd(code, shift == 0 ? source : code, mask);
            return code;
        }
    }
}
