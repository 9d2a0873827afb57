using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// The "pack-quantized" form of compressed-tensors: <c>value = scale · (code − zero)</c>. Codes and zeros are signed and
/// stored with 2^(bits − 1) added; without zeros the zero is 0.
/// <code>
/// weight_packed      [rows, columns · bits / 32, rounded up] words: codes along a row, lowest bits first
/// weight_scale       [rows, groups]
/// weight_zero_point  [rows · bits / 32, groups] words: zeros down a column
/// weight_g_idx       [columns] group of each input
/// </code>
/// </summary>
public sealed class PackedRows : GroupedRows
{
    private readonly PackedIntegers _codes;
    private readonly PackedIntegers? _zeros;
    private readonly float[] _scales;
    private readonly int _bits;

    /// <summary>Describes a packed matrix.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="bits">2, 4 or 8.</param>
    /// <param name="groupSize">Inputs of a group; 0 or less means all of them (a scale a row).</param>
    /// <param name="packed">Words.</param>
    /// <param name="scales">[rows, groups], kept</param>
    /// <param name="zeros">Words, or none.</param>
    /// <param name="groupOf">[columns], or empty where groups are in order</param>
    /// <exception cref="ArgumentException">A tensor is too small, or a group does not exist.</exception>
    public PackedRows(int rows, int columns, int bits, int groupSize,
        MemoryRegion packed, float[] scales, MemoryRegion? zeros, ReadOnlySpan<int> groupOf)
        : base(rows, columns, groupSize, groupOf)
    {
        _bits = bits is 2 or 4 or 8 ? bits : throw new ArgumentOutOfRangeException(nameof(bits), bits, "Packed weights have 2, 4 or 8 bits.");
        Require(nameof(scales), scales.Length, (long)Groups * rows);
        _codes = new(nameof(packed), packed, bits, down: false, rows, columns, PackedIntegers.WordsOf(columns, bits));
        _zeros = zeros is { } words ? new(nameof(zeros), words, bits, down: true, Groups, rows, Groups) : null;
        _scales = scales;
    }

    private protected override void ReadCodes(int row, Span<byte> codes) => _codes.Read(row, codes);

    private protected override void ReadGroups(int row, Span<float> scales, Span<int> zeros)
    {
        _scales.AsSpan(row * Groups, Groups).CopyTo(scales);
        for (var group = 0; group < zeros.Length; group++)
            zeros[group] = _zeros?.Read(group, row) ?? 1 << (_bits - 1);
    }
}
