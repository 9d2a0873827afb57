using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from 0 to 15.</summary>
internal sealed unsafe class Q4_KCodes() : RowCodes(TensorType.Q4_K, 32, hasMins: true, new Q4_KGemv(), new Q4_KBf16(), new KRowLanes(fifthBits: false))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 144, codes += 256, scales += 8, mins += 8)
        {
            UnpackScales(row, scales, mins);
            for (var k = 0; k < 4; k++)
            {
                var bytes = Vector256.Load(row + 16 + 32 * k);
                (bytes & Vector256.Create((byte)15)).Store((byte*)codes + 64 * k);
                (bytes >> 4).Store((byte*)codes + 64 * k + 32);
            }
        }
    }

    /// <summary>The first 16 bytes of a block, as in Q5_K too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void UnpackScales(byte* block, float* scales, float* mins)
    {
        ulong a = *(uint*)(block + 4), b = *(uint*)(block + 8), c = *(uint*)(block + 12);
        var scale = a & 0x3F3F3F3F | (c & 0x0F0F0F0F | (a >> 6 & 0x03030303) << 4) << 32;
        var min = b & 0x3F3F3F3F | (c >> 4 & 0x0F0F0F0F | (b >> 6 & 0x03030303) << 4) << 32;
        (Singles(scale) * Half(block)).Store(scales);
        (Singles(min) * -Half(block + 2)).Store(mins);
    }
}

/// <summary>A block a step. A quarter of two neighbouring vectors is a group, so that they share their scales; of 16 numbers in front of them, eight are scales and eight minimums.</summary>
internal sealed class Q4_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 144;

    public override ReadOnlySpan<byte> Order => [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

    public override ReadOnlySpan<sbyte> Sums => [-1, -1, -1, -1, -1, -1, -1, -1, 0, 2, 4, 6, 8, 10, 12, 14];

    public override float SumFactor => -1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var writeScales = WriteScales(w, out var scales, out var factor);
        var lanes = GroupLanes(w);
        var (bytes, codes) = (w.Vectors("bytes, then upper codes", 2), w.Vectors("lower codes", 2));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            writeScales();
            LoadQuarters(w, 16, bytes, codes[0]);
            w.SplitNibbles(bytes[0], codes[0], nibble);
            w.SplitNibbles(bytes[1], codes[1], nibble);
            a.vpermps(factor, lanes[0], scales);
            yield return GemvWriter.Multiply(factor, (codes[0], 0), (codes[1], 1));
            a.vpermps(factor, lanes[1], scales);
            yield return GemvWriter.Multiply(factor, (bytes[0], 2), (bytes[1], 3));
            yield return GemvWriter.AddSums(scales);
        }
    }

    /// <summary>Loads the first halves of four times 32 bytes into one register and the second halves into another, as in Q5_K too.</summary>
    internal static void LoadQuarters(GemvWriter w, int offset, GemvRegister[] bytes, AssemblerRegisterZMM free)
    {
        w.Asm.vmovdqu64(bytes[0], __zmmword_ptr[w.Block + offset]);
        w.Asm.vmovdqu64(free, __zmmword_ptr[w.Block + (offset + 64)]);
        w.Asm.vshufi64x2(bytes[1], bytes[0], free, 0b11_01_11_01);
        w.Asm.vshufi64x2(bytes[0], bytes[0], free, 0b10_00_10_00);
    }

    /// <summary>Where the scales of the lower and of the upper codes are, as in Q5_K too.</summary>
    internal static AssemblerRegisterZMM[] GroupLanes(GemvWriter w) =>
        [.. Enumerable.Range(0, 2).Select(k => w.Builder.ConstantDwords($"groups {k}", i => i / 4 * 2 + k))];

    /// <summary>Writes the taking apart of a block's first 16 bytes into d · scales and dmin · minimums, as in Q5_K too.</summary>
    internal static Action WriteScales(GemvWriter w, out GemvRegister scales, out GemvRegister factor)
    {
        var (a, b) = (w.Asm, w.Builder);
        // Double words: scales 0-3, scales 4-7, minimums 0-3, minimums 4-7.
        var shifts = GemvCodebook.Lines(w, 64, i => i % 16 == 12 ? 4 : 0)[0];
        var lowMask = GemvCodebook.Lines(w, 64, i => i / 4 % 2 == 0 ? 0x3F : 0x0F)[0];
        var highMask = GemvCodebook.Lines(w, 64, i => i / 4 % 2 == 0 ? 0 : 0x30)[0];
        var factorPlaces = b.ConstantWords("places of d and dmin", i => i % 16 / 8);
        (scales, factor) = (w.Vector("scales and minimums"), w.Vector("d and dmin, then scales of lanes"));
        var (all, head, high) = (scales, factor, b.Vector("high bits"));
        return () =>
        {
            a.vmovdqu64(KernelBuilder.Quarter(head), __xmmword_ptr[w.Block]);
            a.vpshufd(KernelBuilder.Quarter(all), KernelBuilder.Quarter(head), 0b11_10_11_01);
            a.vpshufd(KernelBuilder.Quarter(high), KernelBuilder.Quarter(head), 0b10_10_01_01);
            a.vpsrlvd(KernelBuilder.Quarter(all), KernelBuilder.Quarter(all), __xmmword_ptr[shifts]);
            a.vpsrld(KernelBuilder.Quarter(high), KernelBuilder.Quarter(high), 2);
            a.vpandd(KernelBuilder.Quarter(all), KernelBuilder.Quarter(all), __xmmword_ptr[lowMask]);
            a.vpternlogd(KernelBuilder.Quarter(all), KernelBuilder.Quarter(high), __xmmword_ptr[highMask], GemvWriter.OrAnd);
            a.vpmovzxbd(all, KernelBuilder.Quarter(all));
            a.vcvtdq2ps(all, all);
            a.vpermw(KernelBuilder.Half(head), KernelBuilder.Half(factorPlaces), KernelBuilder.Half(head));
            a.vcvtph2ps(head, KernelBuilder.Half(head));
            a.vmulps(all, all, head);
        };
    }
}

/// <summary>A block a step: the 16 values that a group can have are looked up.</summary>
internal sealed unsafe class Q4_KBf16 : Bf16Code
{
    public override int StepColumns => 256;

    public override int StepBytes => 144;

    public override void Prepare(byte* row, int columns, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 144, scales += 8, mins += 8)
            Q4_KCodes.UnpackScales(row, scales, mins);
    }

    public override Action Write(Bf16RowWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var codes = b.ConstantDwords("codes", i => BitConverter.SingleToInt32Bits(i));
        var (values, places) = (b.Vectors("values of group ", 2), b.Vectors("places ", 2));
        var (low, high) = (b.Vector("columns 0 to 15"), b.Vector("columns 16 to 31"));
        return () =>
        {
            // 32 bytes hold two groups: one in the lower nibbles, one in the upper ones.
            for (var pair = 0; pair < 4; pair++)
            {
                for (var i = 0; i < 2; i++)
                {
                    a.vmulps(values[i], codes, __dword_bcst[Bf16RowWriter.Scale(2 * pair + i)]);
                    a.vaddps(values[i], values[i], __dword_bcst[Bf16RowWriter.Min(2 * pair + i)]);
                    a.vpmovzxbd(places[i], __xmmword_ptr[Bf16RowWriter.Block + (16 + 32 * pair + 16 * i)]);
                }
                for (var i = 0; i < 2; i++)
                {
                    a.vpermps(low, places[0], values[i]);
                    a.vpermps(high, places[1], values[i]);
                    w.Store(low, high, 64 * pair + 32 * i);
                    if (i > 0)
                        continue;
                    a.vpsrld(places[0], places[0], 4);
                    a.vpsrld(places[1], places[1], 4);
                }
            }
        };
    }
}
