using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1 and 1.</summary>
internal sealed unsafe class Q1_0Codes() : RowCodes(TensorType.Q1_0, 32, hasMins: false, new Q1_0Gemv(), rowLanes: new NeighbourRowLanes(bits: 1))
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

/// <summary>
/// Four blocks a step; a quarter of each vector is of one block. Eight bytes are a matrix over GF(2); turned, a bit of them is
/// of eight neighbouring columns, and a shift and a mask make a vector. Codes 0 and 2.
/// </summary>
internal sealed class Q1_0Gemv : GemvCode
{
    private static readonly byte[] OrderOfEights = [.. from vector in Enumerable.Range(0, 8) from eighth in Enumerable.Range(0, 8) select (byte)(8 * eighth + 7 - vector)];

    public override int StepColumns => 512;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Order => OrderOfEights;

    public override int OrderColumns => 8;

    public override int Offset => 1;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var two = b.ConstantBytes("code mask", 2);
        // As in NibbleGemv: the first three blocks lie in bytes 0 to 63, the bits of the last in bytes 56 to 71.
        var places = b.ConstantBytes("places of bytes", i => i < 48 ? 2 + i / 16 * 18 + i % 16 : i);
        var scalePlaces = b.ConstantWords("places of scales", i => i % 16 / 4 * 9);
        var units = b.ConstantBytes("unit vectors", i => 1 << i % 8);
        var last = w.Mask(0xFFFF_0000_0000_0000);
        var (bytes, code, scale) = (w.Vector("bytes"), w.Vector("codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(code, 0);
            a.vpermb(bytes, places, code);
            a.vpermw(scale, scalePlaces, code);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            w.Load(code, 8);
            a.vpermb(bytes.k(last), places, code);
            a.vgf2p8affineqb(bytes, units, bytes, 0);
            for (var v = 0; v < 8; v++)
            {
                if (v == 0)
                    a.vpaddb(code, bytes, bytes);
                else if (v > 1)
                    a.vpsrlw(code, bytes, (byte)(v - 1));
                a.vpandd(code, v == 1 ? bytes : code, two);
                if (v < 7)
                    yield return GemvWriter.Add(code, v);
            }
            yield return GemvWriter.Multiply(scale, (code, 7));
        }
    }
}
