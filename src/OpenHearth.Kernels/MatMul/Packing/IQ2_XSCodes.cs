using System.Runtime.InteropServices;
using OpenHearth.Kernels.CodeGen;
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
        var (a, b) = (w.Asm, w.Builder);
        var eights = new GemvEights(w, IQ2_XS.Grid, [8, 25, 43], 43, halves: true);
        var (first, second) = (w.Vector("first block, then codes"), w.Vector("second block, then scales"));
        var places = GemvCodebook.Lines(w, 64, i => 2 * i)[0];
        var upperPlaces = GemvCodebook.Lines(w, 64, i => 2 * i + 1)[0];
        // The upper byte of a word is the number's ninth bit, then seven signs; the last sign is the parity of the others.
        var one = GemvCodebook.Lines(w, 64, _ => 1)[0];
        var parity = GemvCodebook.Lines(w, 64, i => i % 8 == 0 ? 0xFE : 2 << 7 - i % 8)[0];
        var ninth = w.MaskRegister();
        // Points of quarters' lower halves have the first four scales of eight, those of upper halves the others.
        var turns = Enumerable.Range(0, 2).Select(half => KernelBuilder.Quarter(b.ConstantBytes($"turns of scales {half}", i => i % 8 / 4 * 32 + 16 * half + 4 * (i % 4)))).ToArray();
        var nibble = KernelBuilder.Quarter(b.ConstantBytes("nibble mask", 15));
        var quarter = b.ConstantDwords("quarter", _ => BitConverter.SingleToInt32Bits(0.25f));
        var eighth = b.Data(MemoryMarshal.AsBytes<float>([.. Enumerable.Repeat(0.125f, 16)]));
        var (lower, upper) = (w.Mask(0x00FF), w.Mask(0xFF00));
        w.HalvesAhead(0, BlockBytes);
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vmovdqu64(first, __zmmword_ptr[w.Block + 2]);
            if (w.Tail)
                a.vpxord(second, second, second);
            else
                a.vmovdqu64(second, __zmmword_ptr[w.Block + (BlockBytes + 2)]);
            a.vmovdqa64(eights.Numbers, __zmmword_ptr[places]);
            a.vpermi2b(eights.Numbers, first, second);
            a.vmovdqa64(eights.Signs, __zmmword_ptr[upperPlaces]);
            a.vpermi2b(eights.Signs, first, second);
            a.vptestmb(ninth, eights.Signs, __zmmword_ptr[one]);
            a.vgf2p8affineqb(eights.Signs, eights.Signs, __zmmword_ptr[parity], 0);
            eights.LookUp((first, second), ninth);
            eights.Spread(first);
            for (var v = 0; v < 8; v++)
            {
                eights.Write(v, first);
                if (v % 4 < 3)
                {
                    yield return GemvWriter.Add(first, v);
                    continue;
                }
                WriteScales(v / 4);
                yield return GemvWriter.Multiply(second, (first, v));
            }
        }

        // (s + ½) · d / 4.
        void WriteScales(int half)
        {
            var bytes = KernelBuilder.Quarter(second);
            a.vmovq(bytes, __qword_ptr[w.Block + 66]);
            if (!w.Tail)
                a.vmovhps(bytes, bytes, __qword_ptr[w.Block + (BlockBytes + 66)]);
            a.vpmultishiftqb(bytes, turns[half], bytes);
            a.vpandd(bytes, bytes, nibble);
            a.vpmovzxbd(second, bytes);
            a.vcvtdq2ps(second, second);
            a.vfmadd213ps(second, quarter, __zmmword_ptr[eighth]);
            w.MultiplyHalvesAhead(second, lower, upper);
        }
    }
}
