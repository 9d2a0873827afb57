using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -128 to 127, as they are stored.</summary>
internal sealed unsafe class Q8_0Codes() : RowCodes(TensorType.Q8_0, 32, hasMins: false, new Q8_0Gemv(), new Q8_0Bf16(), new Q8_0RowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 34, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 34)
            Vector256.Load(row + 2).Store((byte*)codes + i);
    }
}

/// <summary>Two blocks a step, each half a vector. Codes are moved up by 128.</summary>
internal sealed class Q8_0Gemv : GemvCode
{
    public override int StepColumns => 64;

    public override int StepBytes => 68;

    public override ReadOnlySpan<byte> Order => [0, 1, 2, 3];

    public override int Offset => 128;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var sign = b.ConstantBytes("sign", 128);
        var scalePlaces = b.ConstantWords("places of scales", i => i % 16 / 8 * 17);
        var upper = w.Mask(0xFFFF_FFFF_0000_0000);
        var (codes, scale) = (w.Vector("codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.LoadHalves(codes, 2, 36, upper);
            a.vpxord(codes, codes, sign);
            w.Load(scale, 0);
            a.vpermw(scale, scalePlaces, scale);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            yield return GemvWriter.Multiply(scale, (codes, 0));
        }
    }
}

/// <summary>A block a step.</summary>
internal sealed class Q8_0Bf16 : Bf16Code
{
    public override int StepColumns => 32;

    public override int StepBytes => 34;

    public override Action Write(Bf16RowWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (scale, halves) = (b.Vector("scale"), b.Vectors("columns from 16 · ", 2));
        return () =>
        {
            a.vpbroadcastw(KernelBuilder.Half(scale), __word_ptr[Bf16RowWriter.Block]);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            for (var i = 0; i < 2; i++)
            {
                a.vpmovsxbd(halves[i], __xmmword_ptr[Bf16RowWriter.Block + (2 + 16 * i)]);
                a.vcvtdq2ps(halves[i], halves[i]);
                a.vmulps(halves[i], halves[i], scale);
            }
            w.Store(halves[0], halves[1], 0);
        };
    }
}

/// <summary>A block a step. Codes are moved up by 128.</summary>
internal sealed class Q8_0RowLanes : RowLaneCode
{
    public override int StepColumns => 32;

    public override int StepBytes => 34;

    public override int Offset => 128;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (scale, sign) = (b.Vector("scales"), b.ConstantBytes("sign", 128));
        var place = w.Reserve(1);
        var codes = b.Vectors("codes of four columns ", 8);
        var free = b.Vectors("free ", 4);
        return () =>
        {
            w.Gather(place, 0, 2);
            w.Load(codes.AsSpan(0, 4), free, 2);
            w.Load(codes.AsSpan(4), free, 18);
            foreach (var code in codes)
                a.vpxord(code, code, sign);
            w.Multiply(0, four => codes[four], scale, scale, () => a.vcvtph2ps(scale, __ymmword_ptr[RowLaneWriter.Own(place)]));
        };
    }
}
