namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// A weight matrix [rows, columns] that a Hugging Face checkpoint keeps in several tensors (codes, scales, zeros), decoded
/// row by row, so that it can be written in a block format or as floats without ever being whole in memory. A row holds the
/// weights of one output. The memory of the tensors belongs to the caller and must outlive the decoder. Thread-safe.
/// </summary>
public abstract class RowDecoder
{
    private protected RowDecoder(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        Rows = rows;
        Columns = columns;
    }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>Decodes one row, bit for bit as the format's own tools do in F32.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="values">[columns]; more room is left alone</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException">There is too little room.</exception>
    public void DecodeRow(int row, Span<float> values) => DecodeRows(row, 1, values);

    /// <summary>Decodes rows that follow one another; many at a time are faster where outputs share words.</summary>
    /// <param name="first">From 0.</param>
    /// <param name="count">Best a multiple of 64, from a multiple of 8 on.</param>
    /// <param name="values">[count, columns]; more room is left alone</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such rows.</exception>
    /// <exception cref="ArgumentException">There is too little room.</exception>
    public void DecodeRows(int first, int count, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, Rows - count);
        if (values.Length < (long)count * Columns)
            throw new ArgumentException($"{count} rows of {Columns} values don't fit {values.Length}.", nameof(values));
        Decode(first, count, values[..(count * Columns)]);
    }

    /// <summary>Decodes rows one by one.</summary>
    private protected virtual void Decode(int first, int count, Span<float> values)
    {
        for (var i = 0; i < count; i++)
            Decode(first + i, values.Slice(i * Columns, Columns));
    }

    private protected abstract void Decode(int row, Span<float> values);

    /// <summary>Refuses a tensor that is smaller than the matrix needs.</summary>
    /// <exception cref="ArgumentException">It is.</exception>
    private protected static void Require(string tensor, long has, long needs)
    {
        if (has < needs)
            throw new ArgumentException($"The tensor of {tensor} has {has} elements; the matrix needs {needs}.", tensor);
    }

    /// <summary>How many parts of a size cover a length.</summary>
    private protected static int Parts(int length, int size) => (int)(((long)length + size - 1) / size);
}
