using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// Codes of codebooks whose points have eight coordinates of three levels and a sign, two blocks at a time. A point is kept as two
/// bytes, one for each bit of its levels' numbers. They are looked up by permutations, 64 at once, and put with the signs into
/// the rows of a matrix over GF(2); multiplied with unit vectors it gives the columns, a byte with three bits for each coordinate.
/// </summary>
internal sealed class GemvGrid
{
    private const int Points = 32; // of a block
    private const byte AndOrSecond = 0xEC; // for vpternlog: a & c | b

    private readonly GemvWriter _writer;
    private readonly Label[][] _planes; // [2][lines]
    private readonly Label _order;
    private readonly Label[] _matrices; // [block][vector]
    private readonly AssemblerRegisterZMM _units;
    private readonly AssemblerRegisterZMM _levels;
    private readonly AssemblerRegisterZMM[] _found; // of each plane
    private readonly AssemblerRegisterZMM _group;
    private readonly AssemblerRegisterK _mask;
    private readonly AssemblerRegisterK _rows;
    private readonly GemvRegister[] _pairs; // of each block: a byte of either plane for each point
    private readonly Label _upperBit;
    private readonly Label[] _groups; // of 128 points: bit 7 of a number, and its upper byte

    /// <summary>Takes registers and puts tables behind the code.</summary>
    /// <param name="w">The kernel.</param>
    /// <param name="grid">The points.</param>
    /// <param name="levels">What a coordinate can be, three of them.</param>
    /// <param name="shift">What is added to codes.</param>
    /// <param name="evenSigns">Whether the eighth sign of a point follows from seven, and bit 7 of a byte of signs is 0.</param>
    /// <param name="groupPoints">Points that share a scale: 2 or 4.</param>
    /// <param name="number">Where the number of a point is, its lower byte, in two vectors of 64 bytes, one for each block.</param>
    /// <param name="signs">Where the signs of a point are, likewise, in the vector given to <see cref="Write"/>.</param>
    public GemvGrid(
        GemvWriter w, sbyte[] grid, sbyte[] levels, int shift, bool evenSigns, int groupPoints, Func<int, int> number, Func<int, int, int> signs)
    {
        var b = w.Builder;
        _writer = w;
        _planes = [.. Enumerable.Range(0, 2).Select(plane => GemvCodebook.Lines(w, grid.Length / 8, point => Plane(plane, point)))];
        // After interleaving, lower eights of the quarters are the first block's points.
        _order = GemvCodebook.Lines(w, 64, i => i % 16 / 8 * 64 + number(i / 16 * 8 + i % 8))[0];
        _matrices =
        [
            .. from block in Enumerable.Range(0, 2)
               from vector in Enumerable.Range(0, 4)
               select GemvCodebook.Lines(w, 64, i => (i % 8) switch
               {
                   7 => Pair(Point(vector, i / 8, groupPoints)),
                   6 => Pair(Point(vector, i / 8, groupPoints)) + 1,
                   _ => 64 + signs(block, Point(vector, i / 8, groupPoints)),
               })[0],
        ];
        _upperBit = GemvCodebook.Lines(w, 64, _ => 0x80)[0];
        _groups = [.. Enumerable.Range(0, grid.Length / 8 / 128).Select(group => GemvCodebook.Lines(w, 64, _ => group % 2 << 7 | group / 2)[0])];
        _units = b.ConstantBytes("unit vectors", i => evenSigns && i % 8 == 7 ? 0xFF : 1 << i % 8);
        _levels = b.ConstantBytes("codes", i => (i % 4 == 3 ? 0 : i % 8 < 4 ? levels[i % 4] : -levels[i % 4]) + shift);
        _found = b.Vectors("numbers, then planes", 2);
        _group = b.Vector("numbers, then groups of points");
        _mask = w.MaskRegister();
        _rows = w.Mask(0xE0E0_E0E0_E0E0_E0E0);
        _pairs = w.Vectors("planes of a block's points", 2);

        // Byte 2 · i of a quarter and the next one are of point i of the quarter's eight.
        static int Pair(int point) => point / 8 * 16 + point % 8 * 2;

        int Plane(int plane, int point)
        {
            var bits = 0;
            for (var k = 0; k < 8; k++)
                bits |= (Array.IndexOf(levels, grid[8 * point + k]) >> plane & 1) << k;
            // Where the last unit vector has all bits set, the last of these makes the sum of all right.
            return evenSigns ? bits ^ (int.PopCount(bits & 0x7F) & 1) << 7 : bits;
        }
    }

    /// <summary>The order of codes, in eights of columns: lanes of vectors that come together share their scales.</summary>
    /// <param name="groupPoints">Points that share a scale: 2 or 4.</param>
    public static byte[] Order(int groupPoints) =>
        [.. from block in Enumerable.Range(0, 2) from vector in Enumerable.Range(0, 4) from eighth in Enumerable.Range(0, 8)
            select (byte)(Points * block + Point(vector, eighth, groupPoints))];

    /// <summary>Looks up the points of both blocks.</summary>
    /// <param name="first">Lower bytes of the first block's numbers, in the places that were given.</param>
    /// <param name="second">Those of the second block.</param>
    /// <param name="free">A register that may be changed.</param>
    /// <param name="writeUpper">Writes upper bytes of numbers, ordered as the constant that it is given orders lower ones; null for 256 points.</param>
    public void LookUp(
        AssemblerRegisterZMM first, AssemblerRegisterZMM second, AssemblerRegisterZMM free, Action<AssemblerRegisterZMM, AssemblerMemoryOperand>? writeUpper = null)
    {
        var a = _writer.Asm;
        a.vmovdqa64(_found[0], __zmmword_ptr[_order]);
        a.vpermi2b(_found[0], first, second);
        a.vmovdqa64(_found[1], _found[0]);
        a.vmovdqa64(_group, _found[0]);
        if (writeUpper is not null)
        {
            writeUpper(free, __zmmword_ptr[_order]);
            a.vpternlogd(_group, free, __zmmword_ptr[_upperBit], AndOrSecond);
        }
        for (var group = 0; group < _groups.Length; group++)
        {
            if (writeUpper is not null)
                a.vpcmpeqb(_mask, _group, __zmmword_ptr[_groups[group]]);
            else if (group == 0)
                a.vptestnmb(_mask, _group, __zmmword_ptr[_upperBit]);
            else
                a.vpmovb2m(_mask, _group);
            // What a mask has chosen is chosen by no other.
            for (var plane = 0; plane < 2; plane++)
            {
                a.vmovdqa64(free, __zmmword_ptr[_planes[plane][2 * group]]);
                a.vpermi2b(_found[plane].k(_mask), free, __zmmword_ptr[_planes[plane][2 * group + 1]]);
            }
        }
        a.vpunpcklbw(_pairs[0], _found[0], _found[1]);
        if (!_writer.Tail)
            a.vpunpckhbw(_pairs[1], _found[0], _found[1]);
    }

    /// <summary>Writes a vector of codes.</summary>
    /// <param name="block">0 or 1.</param>
    /// <param name="vector">0 to 3.</param>
    /// <param name="signs">Where signs are.</param>
    /// <param name="code">Receives the codes.</param>
    public void Write(int block, int vector, AssemblerRegisterZMM signs, AssemblerRegisterZMM code)
    {
        var a = _writer.Asm;
        a.vmovdqa64(code, __zmmword_ptr[_matrices[4 * block + vector]]);
        a.vpermi2b(code.k(_rows).z, _pairs[block], signs);
        a.vgf2p8affineqb(code, _units, code, 0);
        a.vpshufb(code, _levels, code);
    }

    private static int Point(int vector, int eighth, int groupPoints) => vector / groupPoints * 8 * groupPoints + eighth * groupPoints + vector % groupPoints;
}
