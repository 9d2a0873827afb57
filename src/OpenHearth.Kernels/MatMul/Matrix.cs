using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.MatMul;

/// <summary>
/// A weight matrix [rows, columns] in any format that can be decoded, row-major as in a file.
/// The memory belongs to whoever made the region and must outlive the matrix. Reading is thread-safe.
/// </summary>
public sealed unsafe class Matrix
{
    private readonly BlockFormat _format;

    /// <summary>Describes a matrix that lies in <paramref name="data"/>.</summary>
    /// <exception cref="NotSupportedException">The type can't be decoded.</exception>
    /// <exception cref="ArgumentException">The region is too small, or a row is no whole number of blocks.</exception>
    public Matrix(TensorType type, int rows, int columns, MemoryRegion data)
    {
        _format = BlockFormats.Get(type);
        RowBytes = checked((int)TensorTypes.RowBytes(type, columns));
        if (data.Length < (long)rows * RowBytes)
            throw new ArgumentException($"A {rows} × {columns} matrix of {type} takes {(long)rows * RowBytes} bytes, {data.Length} were given.", nameof(data));
        Type = type;
        Rows = rows;
        Columns = columns;
        Data = data;
        Codes = RowCodesRegistry.Find(type);
    }

    /// <summary>Storage format.</summary>
    public TensorType Type { get; }

    /// <summary>Outputs of the product.</summary>
    public int Rows { get; }

    /// <summary>Inputs of the product.</summary>
    public int Columns { get; }

    /// <summary>The blocks, row after row.</summary>
    public MemoryRegion Data { get; }

    /// <summary>Bytes from one row to the next.</summary>
    internal int RowBytes { get; }

    /// <summary>How integer kernels read the rows; null where values are no small integers.</summary>
    internal RowCodes? Codes { get; }

    /// <summary>Decodes one row.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="values">[columns]</param>
    public void DecodeRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        _format.Decode(Data.Span((long)row * RowBytes, RowBytes), values[..Columns]);
    }

    /// <summary>The blocks of a row; unchecked.</summary>
    internal byte* Row(int row) => Data.Pointer + (long)row * RowBytes;
}
