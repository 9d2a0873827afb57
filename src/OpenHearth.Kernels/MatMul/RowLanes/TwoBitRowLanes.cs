using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>TQ2_0 and I2_S: 32 bytes hold four groups, two bits each. Codes 0 to 3, moved up by 1.</summary>
/// <param name="columns">Of a block.</param>
/// <param name="upperFirst">Whether the first group is in the upper bits.</param>
/// <param name="scale">Whether a scale in half precision ends the block; without one it is 1.</param>
internal sealed class TwoBitRowLanes(int columns, bool upperFirst, bool scale) : RowLaneCode
{
    private const int GroupsTogether = 4;

    public override int FewestTokens => 4;

    public override int StepColumns => columns;

    public override int StepBytes => columns / 4 + (scale ? 2 : 0);

    public override int Offset => 1;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var bytes = b.Vectors("bytes ", 8);
        var free = b.Vectors("codes ", 4);
        var scales = scale ? b.Vector("scales") : b.ConstantDwords("one", _ => BitConverter.SingleToInt32Bits(1));
        var place = w.Reserve(1);
        return () =>
        {
            if (scale)
                w.Gather(place, columns / 4, 2);
            for (var offset = 0; offset < columns / 4; offset += 32)
            {
                w.Load(bytes.AsSpan(0, 4), free, offset);
                w.Load(bytes.AsSpan(4), free, offset + 16);
                for (var k = 0; k < GroupsTogether; k++)
                {
                    var shift = (byte)(2 * (upperFirst ? GroupsTogether - 1 - k : k));
                    w.Multiply(offset / 32 * GroupsTogether + k, four => Code(four, shift), scales, scales, Scales);
                }
            }
        };

        void Scales()
        {
            if (scale)
                a.vcvtph2ps(scales, __ymmword_ptr[RowLaneWriter.Own(place)]);
        }

        AssemblerRegisterZMM Code(int four, byte shift)
        {
            var code = free[four % 4];
            if (shift > 0)
                a.vpsrlw(code, bytes[four], shift);
            a.vpandd(code, shift > 0 ? code : bytes[four], three);
            return code;
        }
    }
}
