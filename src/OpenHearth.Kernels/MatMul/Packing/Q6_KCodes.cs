using System.Runtime.Intrinsics;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -32 to 31.</summary>
internal sealed unsafe class Q6_KCodes() : RowCodes(TensorType.Q6_K, 16, hasMins: false, new Q6_KGemv(), rowLanes: new Q6_KRowLanes())
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        for (var i = 0; i < columns; i += 256, row += 210, codes += 256, scales += 16)
        {
            var d = Half(row + 208);
            (SignedSingles(*(ulong*)(row + 192)) * d).Store(scales);
            (SignedSingles(*(ulong*)(row + 200)) * d).Store(scales + 8);
            for (var half = 0; half < 2; half++)
            {
                var high = Vector256.Load(row + 128 + 32 * half);
                for (var k = 0; k < 4; k++)
                {
                    var low = Vector256.Load(row + 64 * half + 32 * (k & 1));
                    low = k < 2 ? low & Vector256.Create((byte)15) : low >> 4;
                    var code = low | (high >> 2 * k & Vector256.Create((byte)3)) << 4;
                    (code - Vector256.Create((byte)32)).Store((byte*)codes + 128 * half + 32 * k);
                }
            }
        }
    }
}

/// <summary>A block a step, columns in their order. Codes 0 to 63.</summary>
internal sealed class Q6_KGemv : GemvCode
{
    public override int StepColumns => 256;

    public override int StepBytes => 210;

    public override ReadOnlySpan<byte> Order => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override ReadOnlySpan<sbyte> Sums => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    public override int SumLength => 1;

    public override float SumFactor => -32;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var upperBits = b.ConstantBytes("upper bits", 48);
        var turn = b.ConstantQwords("turns of upper bits", i => i < 4 ? 4 : 2);
        var halves = w.HalvesAhead(202);
        var lanes = Enumerable.Range(0, 4).Select(k => b.ConstantDwords($"groups {k}", i => 4 * k + i / 4)).ToArray();
        var (bytes, codes, high, scales, factor) =
            (w.Vector("bytes, then upper codes"), w.Vector("lower codes"), w.Vector("upper bits"), w.Vector("scales"), w.Vector("scales of lanes"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            a.vpmovsxbd(scales, __xmmword_ptr[w.Block + 192]);
            a.vcvtdq2ps(scales, scales);
            halves(factor, 3);
            a.vmulps(scales, scales, factor);
            for (var half = 0; half < 2; half++)
            {
                a.vbroadcasti64x4(high, __ymmword_ptr[w.Block + 128 + 32 * half]);
                a.vprolvq(high, high, turn);
                a.vmovdqu64(bytes, __zmmword_ptr[w.Block + 64 * half]);
                w.SplitNibbles(bytes, codes, nibble);
                a.vpternlogd(codes, high, upperBits, GemvWriter.OrAnd);
                a.vprorq(high, high, 4);
                a.vpternlogd(bytes, high, upperBits, GemvWriter.OrAnd);
                a.vpermps(factor, lanes[2 * half], scales);
                yield return GemvWriter.Multiply(factor, (codes, 2 * half));
                a.vpermps(factor, lanes[2 * half + 1], scales);
                yield return GemvWriter.Multiply(factor, (bytes, 2 * half + 1));
            }
            yield return GemvWriter.AddSums(scales);
        }
    }
}

/// <summary>A block a step. Codes 0 to 63.</summary>
internal sealed class Q6_KRowLanes : RowLaneCode
{
    public override int FewestTokens => 5;

    public override int Group => 16;

    public override int StepColumns => 256;

    public override int StepBytes => 210;

    public override int Offset => 32;

    public override Action Write(RowLaneWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var (nibble, upperBits) = (b.ConstantBytes("nibble mask", 15), b.ConstantBytes("upper bits", 48));
        var (bytes, high, codes) = (b.Vectors("bytes ", 4), b.Vectors("upper bits of columns ", 4), b.Vectors("codes ", 2));
        var (scale, other) = (b.Vector("scales"), b.Vector("factors, then upper codes"));
        AssemblerRegisterZMM[] free = [.. codes, scale, other];
        var place = w.Reserve(16);
        return () =>
        {
            Scales();
            for (var half = 0; half < 2; half++)
            {
                for (var c = 0; c < 2; c++)
                {
                    w.Load(high, free, 128 + 32 * half + 16 * c);
                    for (var second = 0; second < 2; second++)
                    {
                        w.Load(bytes, free, 64 * half + 32 * second + 16 * c);
                        Multiply(half, second, c);
                        Multiply(half, 2 + second, c);
                    }
                }
            }
        };

        void Multiply(int half, int quarter, int c)
        {
            var group = 8 * half + 2 * quarter + c;
            w.Multiply(group, four => Code(quarter, four), scale, scale, () => a.vmovaps(scale, __zmmword_ptr[RowLaneWriter.Own(place, group)]));
        }

        AssemblerRegisterZMM Code(int quarter, int four)
        {
            var (code, low) = (codes[four % 2], bytes[four]);
            if (quarter < 2)
                a.vpsllw(code, high[four], (byte)(4 - 2 * quarter));
            else
                a.vpsrlw(code, high[four], (byte)(2 * quarter - 4));
            a.vpandd(code, code, upperBits);
            if (quarter >= 2)
                a.vpsrlw(low = other, bytes[four], 4);
            a.vpternlogd(code, low, nibble, GemvWriter.OrAnd);
            return code;
        }

        // A factor ends the block, behind the scales of all groups.
        void Scales()
        {
            w.Load(bytes, high, 194);
            a.vpsrld(other, bytes[3], 16);
            a.vpmovdw(KernelBuilder.Half(other), other);
            a.vcvtph2ps(other, KernelBuilder.Half(other));
            w.Load(bytes, high, 192);
            for (var group = 0; group < 16; group++)
            {
                var value = free[group % 3];
                a.vpslld(value, bytes[group / 4], (byte)(24 - 8 * (group % 4)));
                a.vpsrad(value, value, 24);
                a.vcvtdq2ps(value, value);
                a.vmulps(value, value, other);
                a.vmovaps(__zmmword_ptr[RowLaneWriter.Own(place, group)], value);
            }
        }
    }
}
