using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1 and 1.</summary>
internal sealed unsafe class Q1_0Codes() : RowCodes(TensorType.Q1_0, 32, hasMins: false, new Q1_0Gemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 128, row += 18, scales += 4)
        {
            Vector128.Create(Half(row)).Store(scales);
            for (var k = 0; k < 4; k++, codes += 32)
                // All ones is -1, so a bit that is not set becomes -1 and one that is set +1.
                (~Spread(*(uint*)(row + 2 + 4 * k)) | Vector256<byte>.One).Store((byte*)codes);
        }
    }
}

/// <summary>Four blocks a step; a quarter of each vector is of one block. Codes 0 and 2.</summary>
internal sealed class Q1_0Gemv : GemvCode
{
    public override int StepColumns => 512;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Order =>
        [0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27, 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31];

    public override int Offset => 1;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var two = b.ConstantBytes("two", 2);
        // As in Q4_0: the first three blocks lie in bytes 0 to 63, the bits of the last in bytes 56 to 71.
        var places = b.ConstantBytes("places of bytes", i => i < 48 ? 2 + i / 16 * 18 + i % 16 : i);
        var scalePlaces = b.ConstantWords("places of scales", i => i % 16 / 4 * 9);
        var words = b.ConstantWords("places of words", i => i % 4 * 8 + i / 4);
        var last = w.Mask(0xFFFF_0000_0000_0000);
        var set = w.MaskRegister();
        var codes = w.Vectors("codes", 8);
        var (bytes, rest, scale) = (b.Vector("bytes"), b.Vector("last bytes"), w.Vector("scales"));
        w.Ahead(() =>
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermw(scale, scalePlaces, rest);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            w.Load(rest, 8);
            a.vpermb(bytes.k(last), places, rest);
            a.vpermw(bytes, words, bytes);
            GemvCodebook.StoreHalves(w, bytes, rest);
            a.vmovdqa64(__zmmword_ptr[w.Scratch(64)], scale);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqa64(scale, __zmmword_ptr[w.Scratch(64)]);
            for (var v = 0; v < 8; v++)
            {
                a.kmovq(set, __qword_ptr[w.Scratch(8 * v)]);
                a.vmovdqu8(codes[v].k(set).z, two);
            }
            yield return GemvWriter.Multiply(scale, [.. codes.Select((vector, v) => ((AssemblerRegisterZMM)vector, v))]);
        }
    }
}
