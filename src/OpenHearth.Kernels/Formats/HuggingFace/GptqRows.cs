using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// GPTQ: <c>value = scale · (code − zero)</c>.
/// <code>
/// qweight  [columns · bits / 32, rows] words: codes of one output down a column, lowest bits first
/// qzeros   [groups, rows · bits / 32] words: zeros of one group along a row; version 1 stores zero − 1
/// scales   [groups, rows]
/// g_idx    [columns] group of each input
/// </code>
/// </summary>
public sealed class GptqRows : GroupedRows
{
    private readonly PackedIntegers _codes;
    private readonly PackedIntegers _zeros;
    private readonly float[] _scales;
    private readonly int _storedLess;

    /// <summary>Describes a GPTQ matrix.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="bits">2, 3, 4 or 8.</param>
    /// <param name="groupSize">Inputs of a group; 0 or less means all of them.</param>
    /// <param name="version">1 (<c>checkpoint_format</c> gptq) or 2 (gptq_v2).</param>
    /// <param name="qweight">Words.</param>
    /// <param name="qzeros">Words.</param>
    /// <param name="scales">[groups, rows], kept</param>
    /// <param name="groupOf">[columns] (<c>g_idx</c>), or empty where groups are in order</param>
    /// <exception cref="ArgumentException">A tensor is too small, or a group does not exist.</exception>
    public GptqRows(int rows, int columns, int bits, int groupSize, int version,
        MemoryRegion qweight, MemoryRegion qzeros, float[] scales, ReadOnlySpan<int> groupOf)
        : base(rows, columns, groupSize, groupOf)
    {
        if (bits is not (2 or 3 or 4 or 8))
            throw new ArgumentOutOfRangeException(nameof(bits), bits, "GPTQ weights have 2, 3, 4 or 8 bits.");
        if (version is not (1 or 2))
            throw new ArgumentOutOfRangeException(nameof(version), version, "GPTQ has the versions 1 and 2.");
        Require(nameof(scales), scales.Length, (long)Groups * rows);
        _codes = new(nameof(qweight), qweight, bits, down: true, rows, columns, rows);
        _zeros = new(nameof(qzeros), qzeros, bits, down: false, Groups, rows, PackedIntegers.WordsOf(rows, bits));
        _scales = scales;
        _storedLess = version == 1 ? 1 : 0;
    }

    private protected override void ReadCodes(int row, Span<byte> codes) => _codes.Read(row, codes);

    private protected override void ReadGroups(int row, Span<float> scales, Span<int> zeros)
    {
        for (var group = 0; group < scales.Length; group++)
        {
            scales[group] = _scales[(long)group * Rows + row];
            zeros[group] = _zeros.Read(group, row) + _storedLess;
        }
    }
}
