using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -43 to 43.</summary>
internal sealed unsafe class IQ2_XSCodes() : RowCodes(TensorType.IQ2_XS, 16, hasMins: false, new IQ2_XSGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ2_XS.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 74)
            {
                var d = Half(row) * 0.25f;
                for (var g = 0; g < 16; g++, codes += 16)
                {
                    *scales++ = d * (0.5f + (row[66 + g / 2] >> (g % 2 * 4) & 15));
                    uint a = *(ushort*)(row + 2 + 4 * g), b = *(ushort*)(row + 4 + 4 * g);
                    var signs = Codebook.EvenSigns((int)(a >> 9)) | Codebook.EvenSigns((int)(b >> 9)) << 8;
                    StoreSigned(*(ulong*)(grid + 8 * (a & 511)), *(ulong*)(grid + 8 * (b & 511)), (uint)signs, codes);
                }
            }
        }
    }
}

/// <summary>Two blocks a step; a lane is a group. Codes are moved up by 43.</summary>
internal sealed class IQ2_XSGemv : GemvCode
{
    private const int BlockBytes = 74;

    private static readonly byte[] PlacesOfColumns = GemvEights.Places(halves: true);

    public override int StepColumns => 512;

    public override int StepBytes => 2 * BlockBytes;

    public override ReadOnlySpan<byte> Places => PlacesOfColumns;

    public override ReadOnlySpan<byte> Order => GemvEights.Order;

    public override int Offset => 43;

    public override int Together => 4;

    public override bool InPieces => true;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var a = w.Asm;
        var eights = new GemvEights(w, IQ2_XS.Grid, [8, 25, 43], 43, halves: true);
        var (first, second, numbers) = (w.Vector("first block, then codes"), w.Vector("second block, then scales"), w.Builder.Vector("numbers"));
        var places = GemvCodebook.Lines(w, 64, i => 2 * i)[0];
        var upperPlaces = GemvCodebook.Lines(w, 64, i => 2 * i + 1)[0];
        // The upper byte of a word is the number's ninth bit, then seven signs; the last sign is the parity of the others.
        var one = GemvCodebook.Lines(w, 64, _ => 1)[0];
        var parity = GemvCodebook.Lines(w, 64, i => i % 8 == 0 ? 0xFE : 2 << 7 - i % 8)[0];
        var ninth = w.MaskRegister();
        var writeScales = IQ2_SGemv.WriteScales(w, first, second, 66);
        w.Ahead(() =>
        {
            writeScales(0);
            a.vmovdqa64(__zmmword_ptr[w.Scratch(0)], first);
            if (w.Tail)
                a.vpxord(first, first, first);
            else
                writeScales(BlockBytes);
            a.vmovdqa64(__zmmword_ptr[w.Scratch(64)], first);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqu64(first, __zmmword_ptr[w.Block + 2]);
            if (w.Tail)
                a.vpxord(second, second, second);
            else
                a.vmovdqu64(second, __zmmword_ptr[w.Block + (BlockBytes + 2)]);
            a.vmovdqa64(numbers, __zmmword_ptr[places]);
            a.vpermi2b(numbers, first, second);
            a.vmovdqa64(eights.Signs, __zmmword_ptr[upperPlaces]);
            a.vpermi2b(eights.Signs, first, second);
            a.vptestmb(ninth, eights.Signs, __zmmword_ptr[one]);
            a.vgf2p8affineqb(eights.Signs, eights.Signs, __zmmword_ptr[parity], 0);
            eights.LookUp(numbers, (first, second), ninth);
            eights.Spread(first);
            for (var v = 0; v < 8; v++)
            {
                eights.Write(v, first);
                if (v % 4 < 3)
                {
                    yield return GemvWriter.Add(first, v);
                    continue;
                }
                // Points of quarters' lower halves, then of upper ones: quarters of scales in turns.
                a.vmovdqa64(second, __zmmword_ptr[w.Scratch(0)]);
                a.vshuff32x4(second, second, __zmmword_ptr[w.Scratch(64)], (byte)(v == 3 ? 0b10_00_10_00 : 0b11_01_11_01));
                yield return GemvWriter.Multiply(second, (first, v));
            }
        }
    }
}
