using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Codes of codebooks whose points have four coordinates of eight levels and a sign, 64 points at a time. Each vector of codes
/// holds the same coordinate of all points, so that nothing is spread: <see cref="Order"/> says which columns these are. Two
/// coordinates of a point are looked up as one byte, three bits each; a matrix over GF(2) puts their signs into the fourth bits.
/// </summary>
internal sealed class GemvFours
{
    private readonly GemvWriter _writer;
    private readonly Label[][] _planes; // [2][lines]
    private readonly Label[] _signs; // [2] matrices
    private readonly AssemblerRegisterZMM _numbers;
    private readonly AssemblerRegisterK _upper;
    private readonly GemvRegister[] _found; // two coordinates each

    /// <summary>Takes registers and puts tables behind the code.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="grid">256 or 512 points.</param>
    /// <param name="levels">What a coordinate can be.</param>
    /// <param name="shift">What is added to codes.</param>
    /// <param name="signs">For one of eight points that follow each other and a coordinate, the bits in the byte given to <see cref="AddSigns"/> whose parity is the sign.</param>
    public GemvFours(GemvWriter w, sbyte[] grid, ReadOnlySpan<sbyte> levels, int shift, Func<int, int, int> signs)
    {
        var level = levels.ToArray();
        _writer = w;
        _planes = [.. Enumerable.Range(0, 2).Select(plane =>
            GemvCodebook.Lines(w, grid.Length / 4, i => Level(4 * i + 2 * plane) | Level(4 * i + 2 * plane + 1) << 4))];
        // The first byte of a matrix makes bit 7, the fifth bit 3.
        _signs = [.. Enumerable.Range(0, 2).Select(plane => GemvCodebook.Lines(w, 64, i => (i % 8) switch
        {
            0 => signs(i / 8, 2 * plane + 1),
            4 => signs(i / 8, 2 * plane),
            _ => 0,
        })[0])];
        _numbers = w.Builder.ConstantBytes("codes", i => (i % 16 < 8 ? level[i % 8] : -level[i % 8]) + shift);
        _upper = w.MaskRegister();
        _found = w.Vectors("coordinates ", 2);

        int Level(int coordinate) => Array.IndexOf(level, grid[coordinate]);
    }

    /// <summary>Vector k holds coordinate k of all points.</summary>
    public static ReadOnlySpan<byte> Order => [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

    /// <summary>The places of columns for points in their order.</summary>
    public static byte[] Places(Func<int, int> point) => [.. Enumerable.Range(0, 128).Select(i => (byte)(i / 64 * 64 + 4 * point(i % 16) + i % 64 / 16))];

    /// <summary>Looks up points.</summary>
    /// <param name="points">The lower eight bits of their numbers.</param>
    /// <param name="free">Two registers that may be changed.</param>
    /// <param name="ninth">Where a number has its ninth bit.</param>
    public void LookUp(AssemblerRegisterZMM points, (AssemblerRegisterZMM, AssemblerRegisterZMM) free, AssemblerRegisterK? ninth = null) =>
        GemvCodebook.LookUp(_writer, _found, points, _upper, ninth, _planes, free);

    /// <summary>Adds signs to the points that were looked up.</summary>
    /// <param name="signs">A byte with a point's for each.</param>
    /// <param name="free">A register that may be changed.</param>
    public void AddSigns(AssemblerRegisterZMM signs, AssemblerRegisterZMM free)
    {
        for (var plane = 0; plane < 2; plane++)
        {
            _writer.Asm.vgf2p8affineqb(free, signs, __zmmword_ptr[_signs[plane]], 0);
            _writer.Asm.vpord(_found[plane], _found[plane], free);
        }
    }

    /// <summary>Writes the codes of a coordinate.</summary>
    public void Write(int coordinate, AssemblerRegisterZMM code)
    {
        AssemblerRegisterZMM index = _found[coordinate / 2];
        if (coordinate % 2 == 1)
            _writer.Asm.vpsrlw(index = code, _found[coordinate / 2], 4);
        _writer.Asm.vpermb(code, index, _numbers); // upper bits have no meaning
    }
}
