using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// AWQ in its "gemm" form, 4 bits: <c>value = scale · (code − zero)</c>. Eight outputs share a word, in the order
/// 0, 2, 4, 6, 1, 3, 5, 7 from the lowest bits.
/// <code>
/// qweight  [columns, rows / 8] words
/// qzeros   [groups, rows / 8] words
/// scales   [groups, rows]
/// </code>
/// </summary>
public sealed class AwqGemmRows : GroupedRows
{
    private readonly PackedIntegers _codes;
    private readonly PackedIntegers _zeros;
    private readonly float[] _scales;

    /// <summary>Describes an AWQ matrix.</summary>
    /// <param name="rows">Outputs, a multiple of 8.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="groupSize">Inputs of a group; 0 or less means all of them.</param>
    /// <param name="qweight">Words.</param>
    /// <param name="qzeros">Words.</param>
    /// <param name="scales">[groups, rows], kept</param>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public AwqGemmRows(int rows, int columns, int groupSize, MemoryRegion qweight, MemoryRegion qzeros, float[] scales)
        : base(rows, columns, groupSize, [])
    {
        if (rows % 8 != 0)
            throw new ArgumentException($"AWQ packs eight outputs a word; there are {rows}.", nameof(rows));
        Require(nameof(scales), scales.Length, (long)Groups * rows);
        _codes = new(nameof(qweight), qweight, 4, down: false, columns, rows, rows / 8);
        _zeros = new(nameof(qzeros), qzeros, 4, down: false, Groups, rows, rows / 8);
        _scales = scales;
    }

    private protected override void ReadCodes(int row, Span<byte> codes) => _codes.ReadAcross(Place(row), codes);

    private protected override void ReadCodes(int first, int count, Span<byte> codes)
    {
        // The words of one input lie side by side, those of the next a whole row of words away: take eight by eight.
        Span<ulong> square = stackalloc ulong[8];
        for (var i = 0; i < Columns; i += 8)
        {
            var width = Math.Min(8, Columns - i);
            for (var row = 0; row < count; row += 8)
            {
                for (var c = 0; c < width; c++)
                    square[c] = _codes.ReadEight(i + c, first + row);
                for (var k = 0; k < 8; k++)
                {
                    var line = codes.Slice((row + k) * Columns + i, width);
                    for (var c = 0; c < line.Length; c++)
                        line[c] = (byte)(square[c] >> 8 * Place(k));
                }
            }
        }
    }

    private protected override void ReadGroups(int row, Span<float> scales, Span<int> zeros)
    {
        for (var group = 0; group < scales.Length; group++)
        {
            scales[group] = _scales[(long)group * Rows + row];
            zeros[group] = _zeros.Read(group, Place(row));
        }
    }

    /// <summary>Where an output lies among its packed neighbours: even ones in the lower half of a word.</summary>
    private static int Place(int row) => row / 8 * 8 + row % 8 / 2 + row % 2 * 4;
}

/// <summary>
/// AWQ in its "gemv" form, 4 bits: <c>value = scale · (code − zero)</c>, all of one output in a row. Rows of zeros and
/// scales may be padded.
/// <code>
/// qweight  [rows, columns / 8] words
/// qzeros   [rows, width] words
/// scales   [rows, 8 · width]
/// </code>
/// </summary>
public sealed class AwqGemvRows : GroupedRows
{
    private readonly PackedIntegers _codes;
    private readonly PackedIntegers _zeros;
    private readonly float[] _scales;
    private readonly int _width;

    /// <summary>Describes an AWQ matrix.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="groupSize">Inputs of a group; 0 or less means all of them.</param>
    /// <param name="width">Words of a row of <paramref name="qzeros"/>; a row of scales is 8 times as wide.</param>
    /// <param name="qweight">Words.</param>
    /// <param name="qzeros">Words.</param>
    /// <param name="scales">[rows, 8 · width], kept</param>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public AwqGemvRows(int rows, int columns, int groupSize, int width, MemoryRegion qweight, MemoryRegion qzeros, float[] scales)
        : base(rows, columns, groupSize, [])
    {
        _codes = new(nameof(qweight), qweight, 4, down: false, rows, columns, PackedIntegers.WordsOf(columns, 4));
        _zeros = new(nameof(qzeros), qzeros, 4, down: false, rows, Groups, width);
        Require(nameof(scales), scales.Length, 8L * width * rows);
        (_scales, _width) = (scales, width);
    }

    private protected override void ReadCodes(int row, Span<byte> codes) => _codes.Read(row, codes);

    private protected override void ReadGroups(int row, Span<float> scales, Span<int> zeros)
    {
        for (var group = 0; group < scales.Length; group++)
        {
            scales[group] = _scales[8L * _width * row + group];
            zeros[group] = _zeros.Read(row, group);
        }
    }
}
