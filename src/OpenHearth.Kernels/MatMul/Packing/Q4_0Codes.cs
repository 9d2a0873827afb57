using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -8 to 7.</summary>
internal sealed unsafe class Q4_0Codes() : RowCodes(TensorType.Q4_0, 32, hasMins: false, new NibbleGemv(offset: 8), new Q4_0Bf16(), new NibbleRowLanes(offset: 8))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 18, columns / 32, scales);
        for (var i = 0; i < columns; i += 32, row += 18)
            (Nibbles(row + 2) - Vector256.Create((byte)8)).Store((byte*)codes + i);
    }
}

/// <summary>A block a step: the 16 values that a block can have are looked up.</summary>
internal sealed class Q4_0Bf16 : Bf16Code
{
    public override int StepColumns => 32;

    public override int StepBytes => 18;

    public override Action Write(Bf16RowWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var codes = b.ConstantDwords("codes", i => BitConverter.SingleToInt32Bits(i - 8));
        var (values, places, low, high) = (b.Vector("values"), b.Vector("places"), b.Vector("columns 0 to 15"), b.Vector("columns 16 to 31"));
        return () =>
        {
            a.vpbroadcastw(KernelBuilder.Half(values), __word_ptr[Bf16RowWriter.Block]);
            a.vcvtph2ps(values, KernelBuilder.Half(values));
            a.vmulps(values, values, codes);
            a.vpmovzxbd(places, __xmmword_ptr[Bf16RowWriter.Block + 2]);
            a.vpermps(low, places, values);
            a.vpsrld(places, places, 4);
            a.vpermps(high, places, values);
            w.Store(low, high, 0);
        };
    }
}
