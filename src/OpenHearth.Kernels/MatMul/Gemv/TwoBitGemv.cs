using Iced.Intel;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>TQ2_0, a block a step, and I2_S, two: 32 bytes hold four groups, two bits each, and are half a vector. Codes 0 to 3, moved up by 1.</summary>
/// <param name="upperFirst">Whether the first group is in the upper bits.</param>
/// <param name="scale">Whether a scale in half precision ends the step; without one it is 1.</param>
internal sealed class TwoBitGemv(bool upperFirst, bool scale) : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => scale ? 66 : 64;

    public override ReadOnlySpan<byte> Order => [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];

    public override int Offset => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        var codes = w.Vectors("codes", 4);
        var half = scale ? w.Vector("scale") : null;
        var one = scale ? default : b.ConstantDwords("one", _ => BitConverter.SingleToInt32Bits(1));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            AssemblerRegisterZMM scales = half is null ? one : half;
            if (scale)
                w.BroadcastHalf(scales, 64);
            var bytes = codes[upperFirst ? 3 : 0];
            w.Load(bytes, 0);
            for (var k = 0; k < 4; k++)
            {
                if (codes[k] != bytes)
                    a.vpsrlw(codes[k], bytes, (byte)(upperFirst ? 6 - 2 * k : 2 * k));
            }
            foreach (var vector in codes)
                a.vpandd(vector, vector, three);
            yield return GemvWriter.Multiply(scales, (codes[0], 0), (codes[1], 1), (codes[2], 2), (codes[3], 3));
        }
    }
}
