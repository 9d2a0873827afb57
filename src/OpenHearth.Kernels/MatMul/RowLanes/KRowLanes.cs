using Iced.Intel;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// Q4_K, and Q5_K with its fifth bits: a block a step. 32 bytes of a row hold two groups, one in the lower nibbles, one in the upper
/// ones; bit g of 32 bytes before them is the fifth of group g.
/// </summary>
internal sealed class KRowLanes(bool fifthBits) : RowLaneCode
{
    private const int HeadBytes = 16;
    private const int FifthBytes = 32;

    public override int StepColumns => 256;

    public override int StepBytes => HeadBytes + 128 + (fifthBits ? FifthBytes : 0);

    public override bool HasMins => true;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var fifth = fifthBits ? b.ConstantBytes("fifth bit", 16) : default;
        var bits = fifthBits ? b.Vector("fifth bits of four columns") : default;
        var (scale, min) = (b.Vector("scales"), b.Vector("minimums"));
        var (bytes, codes) = (b.Vectors("bytes, then upper codes ", 8), b.Vectors("lower codes ", 2));
        AssemblerRegisterZMM[] free = [.. codes, scale, min];
        var scales = new RowLaneScales(w, bytes, free, nibble);
        var kept = fifthBits ? w.Reserve(8) : 0;
        return () =>
        {
            scales.Write();
            if (fifthBits)
                KeepFifthBits();
            for (var pair = 0; pair < 4; pair++)
            {
                Load(StepBytes - 128 + 32 * pair);
                var (lower, upper) = (2 * pair, 2 * pair + 1);
                Multiply(lower, four => Lower(lower, four));
                for (var four = 0; four < bytes.Length; four++)
                {
                    a.vpsrlw(bytes[four], bytes[four], 4);
                    a.vpandd(bytes[four], bytes[four], nibble);
                    AddFifthBit(upper, four, bytes[four]);
                }
                Multiply(upper, four => bytes[four]);
            }
        };

        void Load(int offset)
        {
            w.Load(bytes.AsSpan(0, 4), free, offset);
            w.Load(bytes.AsSpan(4), free, offset + 16);
        }

        void KeepFifthBits()
        {
            Load(HeadBytes);
            for (var four = 0; four < bytes.Length; four++)
                a.vmovdqa64(__zmmword_ptr[RowLaneWriter.Own(kept, four)], bytes[four]);
        }

        void Multiply(int group, Func<int, AssemblerRegisterZMM> code) => w.Multiply(group, code, scale, min, () => scales.Load(group, scale, min));

        AssemblerRegisterZMM Lower(int group, int four)
        {
            var code = codes[four % 2];
            a.vpandd(code, bytes[four], nibble);
            AddFifthBit(group, four, code);
            return code;
        }

        void AddFifthBit(int group, int four, AssemblerRegisterZMM code)
        {
            if (!fifthBits)
                return;
            if (group < 4)
                a.vpsllw(bits, __zmmword_ptr[RowLaneWriter.Own(kept, four)], (byte)(4 - group));
            else
                a.vpsrlw(bits, __zmmword_ptr[RowLaneWriter.Own(kept, four)], (byte)(group - 4));
            a.vpternlogd(code, bits, fifth, GemvWriter.OrAnd);
        }
    }
}
