using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// A weight matrix [rows, columns] in any format that can be decoded, row-major as in a file.
/// The memory belongs to whoever made the region and must outlive the matrix. Reading is thread-safe.
/// </summary>
public sealed class Matrix
{
    private readonly BlockFormat _format;
    private readonly int _rowBytes;

    /// <summary>Describes a matrix that lies in <paramref name="data"/>.</summary>
    /// <exception cref="NotSupportedException">The type can't be decoded.</exception>
    /// <exception cref="ArgumentException">The region is too small, or a row is no whole number of blocks.</exception>
    public Matrix(TensorType type, int rows, int columns, MemoryRegion data)
    {
        _format = BlockFormats.Get(type);
        _rowBytes = checked((int)TensorTypes.RowBytes(type, columns));
        if (data.Length < (long)rows * _rowBytes)
            throw new ArgumentException($"A {rows} × {columns} matrix of {type} takes {(long)rows * _rowBytes} bytes, {data.Length} were given.", nameof(data));
        Type = type;
        Rows = rows;
        Columns = columns;
        Data = data;
    }

    /// <summary>Storage format.</summary>
    public TensorType Type { get; }

    /// <summary>Outputs of the product.</summary>
    public int Rows { get; }

    /// <summary>Inputs of the product.</summary>
    public int Columns { get; }

    /// <summary>The blocks, row after row.</summary>
    public MemoryRegion Data { get; }

    /// <summary>Decodes one row.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="values">[columns]</param>
    public void DecodeRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        _format.Decode(Data.Span((long)row * _rowBytes, _rowBytes), values[..Columns]);
    }
}
