using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// NF4 and FP4 of bitsandbytes: <c>value = map[code] · maximum of its block</c>, rounded to the type that the weights had.
/// Blocks run over the flattened matrix, so a row may begin within one.
/// <code>
/// weight  codes, two a byte, the first in the high nibble
/// absmax  [blocks] F32, or bytes with tensors of their own (<see cref="Nested"/>)
/// </code>
/// </summary>
public sealed class FourBitRows : RowDecoder
{
    private readonly MemoryRegion _packed;
    private readonly float[] _map;
    private readonly float[] _maxima;
    private readonly int _blockSize;
    private readonly TensorType _roundedTo;

    /// <summary>Describes a matrix.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="blockSize">Values that share a maximum.</param>
    /// <param name="roundedTo">F32, F16 or BF16: the <c>dtype</c> of the quantization state.</param>
    /// <param name="packed">Codes.</param>
    /// <param name="map">[16] (<c>quant_map</c>), kept</param>
    /// <param name="maxima">[blocks], kept</param>
    /// <exception cref="ArgumentException">A tensor is too small, or the type is another.</exception>
    public FourBitRows(int rows, int columns, int blockSize, TensorType roundedTo, MemoryRegion packed, float[] map, float[] maxima)
        : base(rows, columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        if (roundedTo is not (TensorType.F32 or TensorType.F16 or TensorType.BF16))
            throw new ArgumentException($"4-bit weights are of type F32, F16 or BF16, not {roundedTo}.", nameof(roundedTo));
        var values = (long)rows * columns;
        Require(nameof(packed), packed.Length, (values + 1) / 2);
        Require(nameof(map), map.Length, 16);
        Require(nameof(maxima), maxima.Length, (values + blockSize - 1) / blockSize);
        (_packed, _map, _maxima, _blockSize, _roundedTo) = (packed, map, maxima, blockSize, roundedTo);
    }

    /// <summary>Decodes maxima that are quantized themselves: <c>map[code] · maximum of its block + offset</c>.</summary>
    /// <param name="codes">[blocks] (<c>absmax</c>)</param>
    /// <param name="map">[256] (<c>nested_quant_map</c>)</param>
    /// <param name="maxima">(<c>nested_absmax</c>)</param>
    /// <param name="blockSize">Codes that share a maximum (<c>nested_blocksize</c>).</param>
    /// <param name="offset">(<c>nested_offset</c>)</param>
    /// <returns>[blocks]</returns>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public static float[] Nested(ReadOnlySpan<byte> codes, ReadOnlySpan<float> map, ReadOnlySpan<float> maxima, int blockSize, float offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        Require(nameof(map), map.Length, 256);
        Require(nameof(maxima), maxima.Length, Parts(codes.Length, blockSize));
        var result = new float[codes.Length];
        for (var i = 0; i < codes.Length; i++)
            result[i] = map[codes[i]] * maxima[i / blockSize] + offset;
        return result;
    }

    private protected override void Decode(int row, Span<float> values)
    {
        var first = (long)row * Columns;
        var bytes = _packed.Span(first / 2, (int)((first + Columns + 1) / 2 - first / 2));
        var odd = (int)(first % 2);
        for (var i = 0; i < values.Length;)
        {
            var block = Math.DivRem(first + i, _blockSize, out var within);
            var maximum = _maxima[block];
            for (var end = Math.Min(values.Length, i + _blockSize - (int)within); i < end; i++)
            {
                var place = odd + i;
                values[i] = _map[bytes[place / 2] >> (4 - place % 2 * 4) & 15] * maximum;
            }
        }
        Round(values);
    }

    private void Round(Span<float> values)
    {
        if (_roundedTo == TensorType.F32)
            return;
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(values);
        foreach (ref var vector in vectors)
            vector = _roundedTo == TensorType.F16 ? F16.ToSingle(F16.FromSingle(vector)) : (BF16.FromSingle(vector) << 16).AsSingle();
        foreach (ref var value in values[(8 * vectors.Length)..])
            value = _roundedTo == TensorType.F16 ? (float)(Half)value : BitConverter.UInt32BitsToSingle((uint)BF16.FromSingle(value) << 16);
    }
}
