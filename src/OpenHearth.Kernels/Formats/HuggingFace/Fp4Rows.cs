using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// FP4 (E2M1) in pairs with a scale for each few inputs: <c>value = fp4[code] · scale / divisor</c>. It covers MXFP4 as
/// gpt-oss stores its experts (<c>*_blocks</c> and <c>*_scales</c>: groups of 32, scales E8M0; one expert a matrix), and
/// NVFP4 of compressed-tensors (<c>weight_packed</c>, <c>weight_scale</c>, <c>weight_global_scale</c>: groups of 16, scales E4M3).
/// <code>
/// packed  [rows, columns / 2]: codes 2j (low nibble) and 2j + 1 (high)
/// scales  [rows, columns / group]
/// </code>
/// </summary>
public sealed class Fp4Rows : RowDecoder
{
    private readonly MemoryRegion _packed;
    private readonly MemoryRegion _scales;
    private readonly int _groupSize;
    private readonly float _divisor;
    private readonly bool _powers;

    private Fp4Rows(int rows, int columns, int groupSize, MemoryRegion packed, MemoryRegion scales, bool powers, float divisor)
        : base(rows, columns)
    {
        if (columns % groupSize != 0)
            throw new ArgumentException($"A row of {columns} values is no whole number of groups of {groupSize}.", nameof(columns));
        Require(nameof(packed), packed.Length, (long)rows * columns / 2);
        Require(nameof(scales), scales.Length, (long)rows * (columns / groupSize));
        (_packed, _scales, _groupSize, _powers, _divisor) = (packed, scales, groupSize, powers, divisor);
    }

    /// <summary>MXFP4: groups of 32 with powers of two.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs, a multiple of 32.</param>
    /// <param name="packed">[rows, columns / 2]</param>
    /// <param name="scales">[rows, columns / 32] exponents biased by 127</param>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public static Fp4Rows Mxfp4(int rows, int columns, MemoryRegion packed, MemoryRegion scales) =>
        new(rows, columns, 32, packed, scales, powers: true, 1);

    /// <summary>NVFP4: groups of 16 with FP8 scales.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs, a multiple of 16.</param>
    /// <param name="packed">[rows, columns / 2]</param>
    /// <param name="scales">[rows, columns / 16] of F8_E4M3</param>
    /// <param name="globalScale">What all scales were multiplied with.</param>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public static Fp4Rows Nvfp4(int rows, int columns, MemoryRegion packed, MemoryRegion scales, float globalScale) =>
        new(rows, columns, 16, packed, scales, powers: false, globalScale);

    /// <summary>Writes a row of <see cref="Mxfp4"/> as blocks of <see cref="TensorType.MXFP4"/>: the same values, other places.</summary>
    /// <param name="packed">[columns / 2]</param>
    /// <param name="scales">[columns / 32]</param>
    /// <param name="blocks">[17 · columns / 32]</param>
    public static void ToBlocks(ReadOnlySpan<byte> packed, ReadOnlySpan<byte> scales, Span<byte> blocks)
    {
        for (var group = 0; group < scales.Length; group++)
        {
            var pairs = packed.Slice(16 * group, 16);
            var block = blocks.Slice(17 * group, 17);
            block[0] = scales[group];
            for (var j = 0; j < 16; j++)
                block[1 + j] = (byte)(pairs[j / 2] >> (j % 2 * 4) & 15 | (pairs[8 + j / 2] >> (j % 2 * 4) & 15) << 4);
        }
    }

    private protected override void Decode(int row, Span<float> values)
    {
        var packed = _packed.Span((long)row * (Columns / 2), Columns / 2);
        var scales = _scales.Span((long)row * (Columns / _groupSize), Columns / _groupSize);
        for (var group = 0; group < scales.Length; group++)
        {
            var half = _powers ? MXFP4.HalfScale(scales[group]) : F8_E4M3.Values[scales[group]] / 2 / _divisor;
            for (var i = group * _groupSize; i < (group + 1) * _groupSize; i += 2)
            {
                values[i] = half * MXFP4.Doubled[packed[i / 2] & 15];
                values[i + 1] = half * MXFP4.Doubled[packed[i / 2] >> 4];
            }
        }
    }
}
