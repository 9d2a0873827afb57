using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>Codes from -127 to 113: the steps themselves.</summary>
internal sealed unsafe class IQ4_NLCodes() : RowCodes(TensorType.IQ4_NL, 32, hasMins: false, new IQ4_NLGemv(), rowLanes: new NibbleRowLanes(offset: 128, nibble => IQ4_NL.Steps[nibble] + 128))
{
    public override void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins)
    {
        Halves(row, 18, columns / 32, scales);
        var steps = Vector128.Create(IQ4_NL.Steps);
        for (var i = 0; i < columns; i += 32, row += 18)
            StoreSteps(steps, row + 2, codes + i);
    }

    /// <summary>32 codes of a table of 16, from the nibbles of 16 bytes; as in IQ4_XS and MXFP4 too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreSteps(Vector128<sbyte> steps, byte* nibbles, sbyte* codes)
    {
        var bytes = Vector128.Load(nibbles);
        Vector128.Shuffle(steps, (bytes & Vector128.Create((byte)15)).AsSByte()).Store(codes);
        Vector128.Shuffle(steps, (bytes >> 4).AsSByte()).Store(codes + 16);
    }
}

/// <summary>Four blocks a step; a quarter of each vector is a block. Codes are steps + 128.</summary>
internal sealed class IQ4_NLGemv : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override int Offset => 128;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var steps = b.ConstantBytes("steps", i => IQ4_NL.Steps[i % 16] + 128);
        var places = b.ConstantBytes("places of nibbles", i => i < 48 ? 2 + i / 16 * 18 + i % 16 : i);
        var scalePlaces = b.ConstantWords("places of scales", i => i % 16 / 4 * 9);
        var last = w.Mask(0xFFFF_0000_0000_0000);
        var (bytes, rest, low, scale) = (w.Vector("bytes, then upper codes"), b.Vector("last bytes"), w.Vector("lower codes"), w.Vector("scales"));
        return Step;

        IEnumerable<GemvProduct> Step()
        {
            w.Load(rest, 0);
            a.vpermb(bytes, places, rest);
            a.vpermw(scale, scalePlaces, rest);
            a.vcvtph2ps(scale, KernelBuilder.Half(scale));
            w.Load(rest, 8);
            a.vpermb(bytes.k(last), places, rest);
            w.SplitNibbles(bytes, low, nibble);
            a.vpshufb(low, steps, low);
            a.vpshufb(bytes, steps, bytes);
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
        }
    }
}
