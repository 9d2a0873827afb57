using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Codes of codebooks whose points have eight coordinates of three levels and a sign, 64 points at a time, as in <see cref="GemvFours"/>:
/// four coordinates are looked up as one byte, two bits each, and a vector of codes holds one coordinate of all points, or two of
/// half of them. Two bits and a sign are chosen from both bytes where they lie, and together are the index of a code.
/// </summary>
internal sealed class GemvEights
{
    private const byte FirstChooses = 0xCA; // for vpternlog: a ? b : c

    private readonly GemvWriter _writer;
    private readonly bool _halves;
    private readonly Label[][] _tables; // [2][lines]
    private readonly Label[] _masks; // of pairs of bits
    private readonly AssemblerRegisterZMM[] _maskRegisters; // the same where registers are left
    private readonly AssemblerRegisterZMM[] _codes; // [coordinate]
    private readonly AssemblerRegisterK _upper;
    private readonly GemvRegister[] _found; // four coordinates each
    private readonly GemvRegister[] _signs;

    /// <summary>Takes registers and puts tables behind the code.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="grid">256 or 512 points.</param>
    /// <param name="levels">What a coordinate can be, three of them.</param>
    /// <param name="shift">What is added to codes.</param>
    /// <param name="halves">Whether a vector holds two coordinates of 32 points, so that two points share a lane, not four.</param>
    public GemvEights(GemvWriter w, sbyte[] grid, sbyte[] levels, int shift, bool halves)
    {
        (_writer, _halves) = (w, halves);
        _tables = [.. Enumerable.Range(0, 2).Select(table => GemvCodebook.Lines(w, grid.Length / 8, i => Levels(8 * i + 4 * table)))];
        _masks = [.. Enumerable.Range(0, 3).Select(pair => GemvCodebook.Lines(w, 64, _ => 3 << 2 * pair)[0])];
        _maskRegisters = w.Tokens > 1 ? [] : [.. Enumerable.Range(0, 3).Select(pair => w.Builder.ConstantBytes($"two bits {pair}", (byte)(3 << 2 * pair)))];
        _codes = [.. Enumerable.Range(0, 4).Select(k => w.Builder.ConstantBytes($"codes {k}", i => Code(i >> 2 * PlaceOfPair(k) & 3, i >> k & 1)))];
        _upper = w.MaskRegister();
        (_found, _signs) = (w.Vectors("coordinates ", 2), w.Vectors("signs ", 2));

        int Levels(int first)
        {
            var bits = 0;
            for (var k = 0; k < 4; k++)
                bits |= Array.IndexOf(levels, grid[first + k]) << 2 * Pair(k);
            return bits;
        }

        int Code(int level, int sign) => (level == 3 ? 0 : sign == 0 ? levels[level] : -levels[level]) + shift;
    }

    /// <summary>Where signs of points go, a byte each, before <see cref="Spread"/>.</summary>
    public GemvRegister Signs => _signs[0];

    /// <summary>A register for the lower eight bits of points' numbers, free otherwise before <see cref="Spread"/> and after the last codes.</summary>
    public GemvRegister Numbers => _signs[1];

    /// <summary>The sixteens of columns of eight vectors.</summary>
    public static ReadOnlySpan<byte> Order =>
        [0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27, 4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31];

    /// <summary>The places of columns.</summary>
    public static byte[] Places(bool halves) => [.. Enumerable.Range(0, 128).Select(i => (byte)(halves
        ? 8 * (i / 64 * 8 + i % 16 / 2) + i % 64 / 16 + i % 2 * 4
        : 8 * (i % 16) + i / 16))];

    /// <summary>Looks up points by <see cref="Numbers"/>.</summary>
    /// <param name="free">Two registers that may be changed.</param>
    /// <param name="ninth">Where a number has its ninth bit.</param>
    public void LookUp((AssemblerRegisterZMM, AssemblerRegisterZMM) free, AssemblerRegisterK? ninth = null) =>
        GemvCodebook.LookUp(_writer, _found, Numbers, _upper, ninth, _tables, free);

    /// <summary>Prepares points and signs for <see cref="Write"/>.</summary>
    /// <param name="free">A register that may be changed.</param>
    public void Spread(AssemblerRegisterZMM free)
    {
        var a = _writer.Asm;
        a.vpsrlw(_signs[1], _signs[0], 4);
        if (!_halves)
            return;
        foreach (var both in new[] { _found, _signs })
        {
            a.vpunpckhbw(free, both[0], both[1]);
            a.vpunpcklbw(both[0], both[0], both[1]);
            a.vmovdqa64(both[1], free);
        }
    }

    /// <summary>Writes one of eight vectors of codes; they come in their order.</summary>
    public void Write(int vector, AssemblerRegisterZMM code)
    {
        var (a, k) = (_writer.Asm, vector % 4);
        var (found, signs) = (_found[vector / 4], _signs[vector / 4]);
        if (k == 3)
            a.vpsrlw(found, found, 2);
        if (_maskRegisters.Length > 0)
            a.vmovdqa64(code, _maskRegisters[PlaceOfPair(k)]);
        else
            a.vmovdqa64(code, __zmmword_ptr[_masks[PlaceOfPair(k)]]);
        a.vpternlogd(code, found, signs, FirstChooses);
        a.vpermb(code, code, _codes[k]); // two upper bits have no meaning
    }

    // Which two bits of a byte hold coordinate k of four: the lower six are read unless they are moved, and its sign is bit k.
    private static int Pair(int k) => k == 3 ? 3 : (k + 1) % 3;

    private static int PlaceOfPair(int k) => Math.Min(Pair(k), 2);
}
