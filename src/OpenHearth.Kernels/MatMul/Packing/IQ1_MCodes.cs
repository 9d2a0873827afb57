using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -9 to 9, as in <see cref="IQ1_SCodes"/>.</summary>
internal sealed unsafe class IQ1_MCodes() : RowCodes(TensorType.IQ1_M, 16, hasMins: false, new IQ1_MGemv())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        fixed (sbyte* grid = IQ1_S.Grid)
        {
            for (var i = 0; i < columns; i += 256, row += 56)
            {
                var packed = *(ulong*)(row + 48);
                var half = (ushort)(packed >> 12 & 0xF | packed >> 24 & 0xF0 | packed >> 36 & 0xF00 | packed >> 48 & 0xF000);
                var d = Half((byte*)&half) * 0.125f;
                for (var g = 0; g < 16; g++)
                    *scales++ = d * (2 * (packed >> (g / 4 * 16 + g % 4 * 3) & 7) + 1);
                for (var k = 0; k < 32; k++, codes += 8)
                {
                    var nibble = (uint)(row[32 + k / 2] >> (k % 2 * 4) & 15);
                    IQ1_SCodes.StorePoint(grid, row[k] | (nibble & 7) << 8, nibble >= 8 ? -1 : 1, codes);
                }
            }
        }
    }
}

/// <summary>A block a step: two lanes are a point, and two vectors the first and the second points of eight groups. Codes are moved up by 9.</summary>
internal sealed class IQ1_MGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 56;

    public override ReadOnlySpan<byte> Order => GemvCodebook.PointsOfGroups;

    public override int OrderColumns => 8;

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -9;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        // With the shift up; a shift down is two less.
        var points = GemvCodebook.Eights(w, IQ1_S.Grid, coordinate => 8 * coordinate + 10);
        var codes = w.Vectors("codes", 2);
        var free = b.Vectors("points", 3);
        var factor = w.Vector("scales of lanes");
        var turns = b.ConstantBytes("turns of upper bits", i => i % 8 / 2 * 4 + 16 * (1 - i % 2));
        var upper = b.ConstantWords("mask of upper bits and shift", _ => 0x0F00);
        var shift = b.ConstantWords("bit of the shift", _ => 0x0800);
        var places = b.ConstantWords("places of points", i => GemvCodebook.PointsOfGroups[i]);
        var two = b.ConstantBytes("two", 2);
        var scaleTurns = KernelBuilder.Quarter(b.ConstantBytes("turns of scales", i => i / 4 * 16 + i % 4 * 3));
        var seven = KernelBuilder.Quarter(b.ConstantBytes("mask of scales", 7));
        var quarter = b.ConstantDwords("quarter", _ => BitConverter.SingleToInt32Bits(0.25f));
        var eighth = b.ConstantDwords("eighth", _ => BitConverter.SingleToInt32Bits(0.125f));
        var lanes = IQ2_SGemv.GroupLanes(w);
        var down = w.MaskRegister();
        w.Ahead(() =>
        {
            AssemblerRegisterZMM numbers = codes[0], scales = codes[0];
            var bytes = KernelBuilder.Quarter(scales);
            a.vpmovzxwq(factor, __xmmword_ptr[w.Block + 32]);
            a.vpmultishiftqb(factor, turns, factor);
            a.vpmovzxbw(numbers, __ymmword_ptr[w.Block]);
            a.vpternlogd(numbers, factor, upper, GemvWriter.OrAnd);
            a.vpermw(numbers, places, numbers);
            a.vptestmw(down, numbers, shift);
            a.vpandnd(numbers, shift, numbers);
            GemvCodebook.StoreHalves(w, numbers, factor);
            a.vpmultishiftqb(bytes, scaleTurns, __qword_bcst[w.Block + 48]);
            a.vpandd(bytes, bytes, seven);
            a.vpmovzxbd(scales, bytes);
            a.vcvtdq2ps(scales, scales);
            a.vfmadd213ps(scales, quarter, eighth);
            a.mov(rax, 0xF000_F000_F000_F000);
            a.mov(r11, __qword_ptr[w.Block + 48]);
            a.pext(rax, r11, rax);
            a.vpbroadcastw(KernelBuilder.Half(factor), eax);
            a.vcvtph2ps(factor, KernelBuilder.Half(factor));
            a.vmulps(scales, scales, factor);
            a.vmovdqa64(__zmmword_ptr[w.Scratch(64)], scales);
            a.kmovd(__dword_ptr[w.Scratch(128)], down);
        });
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.lea(r11, __[points]);
            for (var half = 0; half < 2; half++)
            {
                for (var p = 0; p < 2; p++)
                {
                    var v = 2 * half + p;
                    GemvCodebook.WriteEights(w, codes[p], free, 8 * v);
                    a.kmovb(down, __byte_ptr[w.Scratch(128 + v)]);
                    a.vpsubq(codes[p].k(down), codes[p], two);
                }
                a.vpermps(factor, lanes[half], __zmmword_ptr[w.Scratch(64)]);
                yield return GemvWriter.Multiply(factor, (codes[0], 2 * half), (codes[1], 2 * half + 1));
            }
            a.vmovaps(factor, __zmmword_ptr[w.Scratch(64)]);
            yield return GemvWriter.AddSums(factor);
        }
    }
}
