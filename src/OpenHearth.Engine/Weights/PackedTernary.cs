using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// BitNet's checkpoints of Hugging Face, whose bytes hold four outputs a quarter of the matrix apart, rearranged to
/// <see cref="TensorType.I2_S"/>, whose bytes hold four inputs, so that rows can be multiplied where they lie.
/// </summary>
internal static class PackedTernary
{
    private const int Block = 128;

    /// <summary>The matrix in memory of its own.</summary>
    /// <param name="packed">[outputs / 4, inputs] bytes: bits 2k and 2k + 1 of row r are the code of output k · outputs / 4 + r</param>
    /// <param name="scale">One number.</param>
    /// <param name="divides">True where values are (code - 1) / scale, false where they are (code - 1) · scale.</param>
    /// <exception cref="ModelFormatException">A tensor has another type or shape.</exception>
    public static StoredTensor Unpack(StoredTensor packed, StoredTensor scale, bool divides)
    {
        var columns = checked((int)packed.Columns);
        if (packed.Type != TensorType.U8 || columns % Block != 0)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(packed.Name)} of type {packed.Type} with rows of {columns}; packed ternary values come as U8 with rows of a multiple of {Block}");
        var factor = Number(scale);
        var quarter = packed.RowCount;
        var rowBytes = columns / 4;
        var buffer = new NativeBuffer<byte>(checked((packed.RowCount * columns) + TensorTypes.TrailerBytes(TensorType.I2_S)));
        for (var k = 0; k < 4; k++)
        {
            for (var r = 0L; r < quarter; r++)
                UnpackRow(packed.Data.Span(r * columns, columns), 2 * k, buffer.Slice(((k * quarter) + r) * rowBytes, rowBytes));
        }
        var trailer = buffer.Slice(4 * quarter * rowBytes, TensorTypes.TrailerBytes(TensorType.I2_S));
        trailer.Clear();
        BinaryPrimitives.WriteSingleLittleEndian(trailer, divides ? 1 / factor : factor);
        return new StoredTensor(packed.Name, TensorType.I2_S, [4 * quarter, columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>What <see cref="Unpack"/> was made of, with a scale that multiplies.</summary>
    /// <param name="matrix">Of any type.</param>
    /// <param name="part">0 for the codes, 1 for the scale.</param>
    /// <exception cref="NotSupportedException">It has other numbers than zero and a scale with either sign, or another shape than packed ones.</exception>
    public static StoredTensor Pack(StoredTensor matrix, int part)
    {
        var decoded = matrix.Decode();
        using var memory = decoded.Owner;
        var (rows, columns) = (checked((int)decoded.RowCount), checked((int)decoded.Columns));
        if (rows % 4 != 0 || columns % Block != 0)
            throw new NotSupportedException($"tensor {ModelFormatException.Quote(matrix.Name)} is [{rows}, {columns}]; packed ternary values come in rows of a multiple of {Block}, a multiple of 4 of them.");
        var values = MemoryMarshal.Cast<byte, float>(decoded.Data.Span(0, checked(rows * columns * sizeof(float))));
        var scale = 0f;
        foreach (var value in values)
            scale = MathF.Max(scale, MathF.Abs(value));
        scale = scale == 0 ? 1 : scale;
        return part == 0 ? Codes(matrix.Name, rows, columns, values, scale) : Scale(matrix.Name, scale);
    }

    private static StoredTensor Codes(string name, int rows, int columns, ReadOnlySpan<float> values, float scale)
    {
        var buffer = new NativeBuffer<byte>(rows / 4 * columns);
        var bytes = buffer.Span;
        bytes.Clear();
        for (var k = 0; k < 4; k++)
        {
            var quarter = values.Slice(k * bytes.Length, bytes.Length);
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] |= (byte)(Code(name, quarter[i], scale) << 2 * k);
        }
        return new StoredTensor(name, TensorType.U8, [rows / 4, columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    private static StoredTensor Scale(string name, float scale)
    {
        var buffer = new NativeBuffer<float>(1);
        buffer.Span[0] = scale;
        return new StoredTensor(name, TensorType.F32, [1], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    private static int Code(string name, float value, float scale) => value == 0 ? 1 : value == scale ? 2 : value == -scale ? 0
        : throw new NotSupportedException($"tensor {ModelFormatException.Quote(name)} has {value} beside {scale}; with activations of 8 bits a config.json has matrices of 0 and one number with either sign.");

    private static void UnpackRow(ReadOnlySpan<byte> packed, int shift, Span<byte> row)
    {
        for (var block = 0; block < packed.Length; block += Block)
        {
            var codes = packed.Slice(block, Block);
            var bytes = row.Slice(block / 4, Block / 4);
            for (var j = 0; j < bytes.Length; j++)
            {
                bytes[j] = (byte)((Code(codes[j], shift) << 6) | (Code(codes[32 + j], shift) << 4)
                    | (Code(codes[64 + j], shift) << 2) | Code(codes[96 + j], shift));
            }
        }
    }

    private static int Code(byte packed, int shift) => (packed >> shift) & 3;

    private static float Number(StoredTensor tensor)
    {
        if (tensor.RowCount * tensor.Columns != 1 || TensorTypes.BlockSize(tensor.Type) != 1 || !BlockFormats.TryGet(tensor.Type, out var format))
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} is no single number");
        Span<float> value = stackalloc float[1];
        format.Decode(tensor.Data.Span(0, TensorTypes.BlockBytes(tensor.Type)), value);
        return value[0] != 0 && float.IsFinite(value[0]) ? value[0] : throw new ModelFormatException($"tensor {ModelFormatException.Quote(tensor.Name)} is {value[0]}, which is no scale");
    }
}
