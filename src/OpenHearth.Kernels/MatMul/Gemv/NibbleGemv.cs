using OpenHearth.Kernels.CodeGen;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>Q4_0 and IQ4_NL, four blocks a step: a scale in half precision, then the nibbles of 32 columns; a quarter of each vector is a block.</summary>
/// <param name="offset">What was added to codes to make them unsigned.</param>
/// <param name="code">The code of a nibble; null where it is the nibble.</param>
internal sealed class NibbleGemv(int offset, Func<int, int>? code = null) : GemvCode
{
    public override int StepColumns => 128;

    public override int StepBytes => 72;

    public override ReadOnlySpan<byte> Order => [0, 2, 4, 6, 1, 3, 5, 7];

    public override int Offset => offset;

    public override Func<IEnumerable<GemvProduct>> Write(GemvWriter w)
    {
        var (a, b) = (w.Asm, w.Builder);
        var nibble = b.ConstantBytes("nibble mask", 15);
        var codes = code is null ? default : b.ConstantBytes("codes of nibbles", i => code(i % 16));
        // The first three blocks lie in bytes 0 to 63, the nibbles of the last in bytes 56 to 71.
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
            if (code is not null)
            {
                a.vpshufb(low, codes, low);
                a.vpshufb(bytes, codes, bytes);
            }
            yield return GemvWriter.Multiply(scale, (low, 0), (bytes, 1));
        }
    }
}
