namespace OpenHearth.Kernels.Formats;

/// <summary>The one table of storage sizes. A block of <c>BlockSize</c> values takes <c>BlockBytes</c> bytes.</summary>
public static class TensorTypes
{
    /// <summary>True where this program knows how many bytes the type takes.</summary>
    public static bool IsKnown(TensorType type) => Find(type).BlockSize > 0;

    /// <summary>Values in one block; 1 for plain number types.</summary>
    public static int BlockSize(TensorType type) => Sizes(type).BlockSize;

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(TensorType type) => Sizes(type).BlockBytes;

    /// <summary>Bytes that follow the last block of a tensor: I2_S has a scale for the whole tensor there; 0 in all other types.</summary>
    public static int TrailerBytes(TensorType type) => type == TensorType.I2_S ? 32 : 0;

    /// <summary>Bytes of a row of <paramref name="columns"/> values.</summary>
    /// <exception cref="ArgumentException"><paramref name="columns"/> is no whole number of blocks.</exception>
    /// <exception cref="OverflowException">The row is longer than 2^63 bytes.</exception>
    public static long RowBytes(TensorType type, long columns)
    {
        var (size, bytes) = Sizes(type);
        return columns % size == 0
            ? checked(columns / size * bytes)
            : throw new ArgumentException($"A row of {columns} values is no whole number of {type} blocks of {size}.", nameof(columns));
    }

    /// <summary>Bytes of a whole tensor, the tail of <see cref="TensorType.I2_S"/> included.</summary>
    /// <param name="type">The format.</param>
    /// <param name="columns">Values in a row.</param>
    /// <param name="rows">The other dimensions, in any order; none for a tensor of one row.</param>
    /// <exception cref="ArgumentException"><paramref name="columns"/> is no whole number of blocks.</exception>
    /// <exception cref="OverflowException">The tensor has more than 2^63 values or bytes.</exception>
    public static long TensorBytes(TensorType type, long columns, params ReadOnlySpan<long> rows)
    {
        var bytes = RowBytes(type, columns);
        var values = columns;
        foreach (var dimension in rows)
        {
            values = checked(values * dimension);
            bytes = checked(bytes * dimension);
        }
        return type == TensorType.I2_S ? checked(bytes + 32) : bytes;
    }

    private static (int BlockSize, int BlockBytes) Sizes(TensorType type) =>
        Find(type) is { BlockSize: > 0 } sizes ? sizes : throw new ArgumentOutOfRangeException(nameof(type), type, "The sizes of this type are not known.");

    // A switch and no dictionary: it costs nothing when a program starts.
    private static (int BlockSize, int BlockBytes) Find(TensorType type) => type switch
    {
        TensorType.F32 => (1, 4),
        TensorType.F16 => (1, 2),
        TensorType.BF16 => (1, 2),
        TensorType.F64 => (1, 8),
        TensorType.I8 => (1, 1),
        TensorType.I16 => (1, 2),
        TensorType.I32 => (1, 4),
        TensorType.I64 => (1, 8),
        TensorType.Bool => (1, 1),
        TensorType.U8 => (1, 1),
        TensorType.U16 => (1, 2),
        TensorType.U32 => (1, 4),
        TensorType.U64 => (1, 8),
        TensorType.F8_E4M3 => (1, 1),
        TensorType.F8_E5M2 => (1, 1),
        TensorType.Q4_0 => (32, 18),
        TensorType.Q4_1 => (32, 20),
        TensorType.Q5_0 => (32, 22),
        TensorType.Q5_1 => (32, 24),
        TensorType.Q8_0 => (32, 34),
        TensorType.Q8_1 => (32, 36),
        TensorType.Q2_K => (256, 84),
        TensorType.Q3_K => (256, 110),
        TensorType.Q4_K => (256, 144),
        TensorType.Q5_K => (256, 176),
        TensorType.Q6_K => (256, 210),
        TensorType.Q8_K => (256, 292),
        TensorType.IQ2_XXS => (256, 66),
        TensorType.IQ2_XS => (256, 74),
        TensorType.IQ2_S => (256, 82),
        TensorType.IQ3_XXS => (256, 98),
        TensorType.IQ3_S => (256, 110),
        TensorType.IQ1_S => (256, 50),
        TensorType.IQ1_M => (256, 56),
        TensorType.IQ4_NL => (32, 18),
        TensorType.IQ4_XS => (256, 136),
        TensorType.TQ1_0 => (256, 54),
        TensorType.TQ2_0 => (256, 66),
        TensorType.I2_S => (128, 32),
        TensorType.MXFP4 => (32, 17),
        TensorType.NVFP4 => (64, 36),
        TensorType.Q1_0 => (128, 18),
        TensorType.Q2_0 => (64, 18),
        _ => default,
    };
}
