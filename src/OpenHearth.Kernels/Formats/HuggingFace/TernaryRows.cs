using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// BitNet's packed checkpoints: <c>value = (code − 1) · scale</c> with 2-bit codes. A byte holds four outputs, a quarter of
/// the matrix apart.
/// <code>
/// weight  [rows / 4, columns]: bits 2k and 2k+1 of row r: output k · rows / 4 + r
/// </code>
/// </summary>
public sealed class TernaryRows : RowDecoder
{
    private readonly MemoryRegion _packed;
    private readonly float _scale;

    /// <summary>Describes a matrix.</summary>
    /// <param name="rows">Outputs, a multiple of 4.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="packed">[rows / 4, columns] bytes</param>
    /// <param name="scale">
    /// Factor of all values: <c>weight_scale</c> where the configuration says <c>autobitlinear</c>, its reciprocal where it says
    /// <c>bitlinear</c>.
    /// </param>
    /// <exception cref="ArgumentException">The tensor is too small, or rows are no multiple of 4.</exception>
    public TernaryRows(int rows, int columns, MemoryRegion packed, float scale) : base(rows, columns)
    {
        if (rows % 4 != 0)
            throw new ArgumentException($"BitNet packs four outputs a byte; there are {rows}.", nameof(rows));
        Require(nameof(packed), packed.Length, (long)(rows / 4) * columns);
        (_packed, _scale) = (packed, scale);
    }

    private protected override void Decode(int row, Span<float> values)
    {
        var (quarter, within) = Math.DivRem(row, Rows / 4);
        var bytes = _packed.Span((long)within * Columns, Columns);
        for (var i = 0; i < values.Length; i++)
            values[i] = ((bytes[i] >> (2 * quarter) & 3) - 1) * _scale;
    }
}
