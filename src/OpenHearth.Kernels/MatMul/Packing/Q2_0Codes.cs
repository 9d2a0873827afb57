using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes -1, 0, 1 and 2.</summary>
internal sealed unsafe class Q2_0Codes() : RowCodes(TensorType.Q2_0, 32, hasMins: false, new Q2_0Gemv(), rowLanes: new NeighbourRowLanes(bits: 2))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 64, row += 18, scales += 2)
        {
            scales[0] = scales[1] = Half(row);
            for (var k = 0; k < 16; k += 4, codes += 16)
            {
                var bytes = Vector128.CreateScalar(*(uint*)(row + 2 + k)).AsByte();
                var repeated = Vector128.Shuffle(bytes, Vector128.Create((byte)0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3));
                var (low, high) = Vector128.Widen(repeated);
                (Vector128.Narrow(Pairs(low), Pairs(high)) - Vector128<byte>.One).AsSByte().Store(codes);
            }
        }
    }

    // Of four copies of a byte, the first keeps bits 0-1, the next 2-3 and so on: multiplying moves each pair to bits 6-7.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Pairs(Vector128<ushort> copies) =>
        copies * Vector128.Create((ushort)64, 16, 4, 1, 64, 16, 4, 1) >> 6 & Vector128.Create((ushort)3);
}

/// <summary>Four blocks a step; a quarter of each vector is of one block, and its columns are four apart. Codes 0 to 3.</summary>
internal sealed class Q2_0Gemv : GemvCode
{
    private static readonly byte[] PlacesOfColumns = GemvFours.Places(point => point);

    public override int StepColumns => 256;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Places => PlacesOfColumns;

    public override ReadOnlySpan<byte> Order => GemvFours.Order;

    public override int Offset => 1;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var three = b.ConstantBytes("code mask", 3);
        // As in NibbleGemv: the first three blocks lie in bytes 0 to 63, the codes of the last in bytes 56 to 71.
        var places = b.ConstantBytes("places of bytes", i => i < 48 ? 2 + i / 16 * 18 + i % 16 : i);
        var scalePlaces = b.ConstantWords("places of scales", i => i % 16 / 4 * 9);
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
            for (var k = 0; k < 4; k++)
            {
                if (k > 0)
                    a.vpsrlw(code, bytes, (byte)(2 * k));
                a.vpandd(code, k > 0 ? code : bytes, three);
                if (k < 3)
                    yield return GemvWriter.Add(code, k);
            }
            yield return GemvWriter.Multiply(scale, (code, 3));
        }
    }
}
