using System.Numerics;
using System.Runtime.InteropServices;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// Plain numbers (FP8, bytes) with scales for blocks of any shape: <c>value = (number − zero) · scale · factor</c>, from left
/// to right in F32. It covers FP8 with scales for blocks of 128 × 128 (DeepSeek V3: <c>weight_scale_inv</c>), for rows or
/// for the tensor, the "int-quantized" and "float-quantized" forms of compressed-tensors, and LLM.int8
/// (<see cref="LlmInt8"/>).
/// <code>
/// weight  [rows, columns]
/// scales  [rows / block rows, columns / block columns], rounded up
/// zeros   as scales
/// </code>
/// </summary>
public sealed class ScaledRows : RowDecoder
{
    private readonly BlockFormat _format;
    private readonly MemoryRegion _numbers;
    private readonly float[] _scales;
    private readonly sbyte[]? _zeros;
    private readonly float _factor;
    private readonly (int Rows, int Columns) _block;

    /// <summary>Describes a scaled matrix.</summary>
    /// <param name="type">A type of one value a block: F8_E4M3, F8_E5M2, I8, U8, BF16 …</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="numbers">[rows, columns]</param>
    /// <param name="block">Rows and columns that share a scale; 0 or less means all of them.</param>
    /// <param name="scales">One a block, row by row; kept.</param>
    /// <param name="zeros">As scales, or null; kept.</param>
    /// <exception cref="ArgumentException">A tensor is too small, or the type is of larger blocks.</exception>
    public ScaledRows(TensorType type, int rows, int columns, MemoryRegion numbers, (int Rows, int Columns) block, float[] scales, sbyte[]? zeros = null)
        : this(type, rows, columns, numbers, block, scales, zeros, 1)
    {
    }

    private ScaledRows(TensorType type, int rows, int columns, MemoryRegion numbers, (int Rows, int Columns) block, float[] scales, sbyte[]? zeros, float factor)
        : base(rows, columns)
    {
        _format = BlockFormats.Get(type);
        if (_format.BlockSize != 1)
            throw new ArgumentException($"{type} has scales of its own.", nameof(type));
        _block = (block.Rows <= 0 ? rows : block.Rows, block.Columns <= 0 ? columns : block.Columns);
        var needed = (long)Parts(rows, _block.Rows) * Parts(columns, _block.Columns);
        Require(nameof(numbers), numbers.Length / _format.BlockBytes, (long)rows * columns);
        Require(nameof(scales), scales.Length, needed);
        Require(nameof(zeros), zeros?.Length ?? needed, needed);
        (_numbers, _scales, _zeros, _factor) = (numbers, scales, zeros, factor);
    }

    /// <summary>LLM.int8 of bitsandbytes: <c>value = byte · row maximum · F32(1 / 127)</c>.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="bytes">[rows, columns] (<c>weight</c>)</param>
    /// <param name="maxima">[rows] (<c>SCB</c>), kept</param>
    /// <exception cref="ArgumentException">A tensor is too small.</exception>
    public static ScaledRows LlmInt8(int rows, int columns, MemoryRegion bytes, float[] maxima) =>
        new(TensorType.I8, rows, columns, bytes, (1, 0), maxima, null, 0.007874015718698502f);

    private protected override void Decode(int row, Span<float> values)
    {
        var rowBytes = checked(Columns * _format.BlockBytes);
        _format.Decode(_numbers.Span((long)row * rowBytes, rowBytes), values);
        var at = (long)(row / _block.Rows) * Parts(Columns, _block.Columns);
        for (var start = 0; start < Columns; start += _block.Columns, at++)
        {
            var part = values.Slice(start, Math.Min(_block.Columns, Columns - start));
            Scale(part, _zeros?[at] ?? 0, _scales[at]);
        }
    }

    private void Scale(Span<float> values, float zero, float scale)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (ref var vector in vectors)
            vector = (vector - new Vector<float>(zero)) * scale * _factor;
        foreach (ref var value in values[(vectors.Length * Vector<float>.Count)..])
            value = (value - zero) * scale * _factor;
    }
}
