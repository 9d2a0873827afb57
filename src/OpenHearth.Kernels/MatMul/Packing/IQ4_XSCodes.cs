using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -127 to 113: the steps themselves.</summary>
internal sealed unsafe class IQ4_XSCodes() : RowCodes(TensorType.IQ4_XS, 32, hasMins: false, new IQ4_XSGemv(), rowLanes: new IQ4_XSRowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        var steps = Vector128.Create(IQ4_NL.Steps);
        for (var i = 0; i < columns; i += 256, row += 136)
        {
            var d = Half(row);
            int high = *(ushort*)(row + 2);
            for (var g = 0; g < 8; g++, codes += 32)
            {
                var scale = row[4 + g / 2] >> (g % 2 * 4) & 15 | (high >> 2 * g & 3) << 4;
                *scales++ = d * (scale - 32);
                IQ4_NLCodes.StoreSteps(steps, row + 8 + 16 * g, codes);
            }
        }
    }
}

/// <summary>A block a step; a quarter of each vector is a group. Codes are steps + 128.</summary>
internal sealed class IQ4_XSGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 136;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15];

    public override int Offset => 128;

    public override int Together => 2;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var halves = w.HalvesAhead(0);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var steps = b.ConstantBytes("steps", i => IQ4_NL.Steps[i % 16] + 128);
        var lowPlaces = b.ConstantBytes("turns of scales, low", i => i % 8 * 4);
        var highPlaces = b.ConstantBytes("turns of scales, high", i => (i % 8 * 2 + 60) % 64);
        var upperBits = b.ConstantBytes("mask of scales, high", 48);
        var lanes = Enumerable.Range(0, 2).Select(k => b.ConstantDwords($"groups {k}", i => 4 * k + i / 4)).ToArray();
        var thirtyTwo = b.ConstantDwords("thirty-two", _ => 32);
        var (bytes, codes, scales, factor) = (w.Vector("bytes, then upper codes"), w.Vector("lower codes"), w.Vector("scales"), w.Vector("scales of lanes"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            var (scale, high) = (KernelBuilder.Quarter(scales), KernelBuilder.Quarter(factor));
            a.vmovd(scale, __dword_ptr[w.Block + 4]);
            a.vmovd(high, __dword_ptr[w.Block + 2]);
            a.vpmultishiftqb(scale, KernelBuilder.Quarter(lowPlaces), scale);
            a.vpmultishiftqb(high, KernelBuilder.Quarter(highPlaces), high);
            a.vpandd(scale, scale, KernelBuilder.Quarter(nibble));
            a.vpternlogd(scale, high, KernelBuilder.Quarter(upperBits), GemvWriter.OrAnd);
            a.vpmovzxbd(scales, scale);
            a.vpsubd(scales, scales, thirtyTwo);
            a.vcvtdq2ps(scales, scales);
            halves(factor, 0);
            a.vmulps(scales, scales, factor);
            for (var half = 0; half < 2; half++)
            {
                a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 8 + 64 * half]);
                w.SplitNibbles(bytes, codes, nibble);
                a.vpshufb(codes, steps, codes);
                a.vpshufb(bytes, steps, bytes);
                a.vpermps(factor, lanes[half], scales);
                yield return GemvWriter.Multiply(factor, (codes, 2 * half), (bytes, 2 * half + 1));
            }
        }
    }
}

/// <summary>A block a step, groups of nibbles as in IQ4_NL; scales of six bits come first. Codes are steps + 128.</summary>
internal sealed class IQ4_XSRowLanes : RowLaneCode
{
    private const int Groups = 8;

    public override int StepColumns => 256;

    public override int StepBytes => 136;

    public override int Offset => 128;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (scale, factor) = (b.Vector("scales"), b.Vector("factors"));
        var (lowBits, highBits, most) = (b.ConstantDwords("lower bits", _ => 15), b.ConstantDwords("upper bits", _ => 48), b.ConstantDwords("32", _ => 32));
        var nibbles = new RowLaneNibbles(w, nibble => IQ4_NL.Steps[nibble] + 128);
        var place = w.Reserve(Groups);
        return () =>
        {
            Scales();
            for (var group = 0; group < Groups; group++)
            {
                var vector = RowLaneWriter.Own(place, group);
                nibbles.Load(8 + 16 * group);
                w.Multiply(group, nibbles.Codes, scale, scale, () => a.vmovaps(scale, __zmmword_ptr[vector]));
            }
        };

        // A factor, the upper two bits of all scales, the lower four.
        void Scales()
        {
            var (head, low) = nibbles.LoadHead();
            var (high, value) = (nibbles.Codes(2), nibbles.Codes(3));
            a.vpmovdw(KernelBuilder.Half(factor), head);
            a.vcvtph2ps(factor, KernelBuilder.Half(factor));
            for (var group = 0; group < Groups; group++)
            {
                a.vpsrld(high, head, (byte)(12 + 2 * group));
                a.vpsrld(value, low, (byte)(4 * group));
                a.vpandd(high, high, highBits);
                a.vpternlogd(high, value, lowBits, GemvWriter.OrAnd);
                a.vpsubd(high, high, most);
                a.vcvtdq2ps(high, high);
                a.vmulps(high, high, factor);
                a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(place, group)], high);
            }
        }
    }
}
