using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// Turns stored tensors from one byte order to the other. Each field of more than one byte in ggml's block structs
/// (source: ggml-common.h) is swapped by its own; byte arrays stay as they are.
/// </summary>
public static class ByteOrder
{
    private static readonly Dictionary<TensorType, Field[]> Fields = new()
    {
        [TensorType.Q4_0] = [new(0, 2)],
        [TensorType.Q4_1] = [new(0, 2, 2)],
        [TensorType.Q5_0] = [new(0, 2), new(2, 4)],
        [TensorType.Q5_1] = [new(0, 2, 2), new(4, 4)],
        [TensorType.Q8_0] = [new(0, 2)],
        [TensorType.Q8_1] = [new(0, 2, 2)],
        [TensorType.Q2_K] = [new(80, 2, 2)],
        [TensorType.Q3_K] = [new(108, 2)],
        [TensorType.Q4_K] = [new(0, 2, 2)],
        [TensorType.Q5_K] = [new(0, 2, 2)],
        [TensorType.Q6_K] = [new(208, 2)],
        [TensorType.Q8_K] = [new(0, 4), new(260, 2, 16)],
        [TensorType.IQ2_XXS] = [new(0, 2, 33)],
        [TensorType.IQ2_XS] = [new(0, 2, 33)],
        [TensorType.IQ2_S] = [new(0, 2)],
        [TensorType.IQ3_XXS] = [new(0, 2)],
        [TensorType.IQ3_S] = [new(0, 2)],
        [TensorType.IQ1_S] = [new(0, 2), new(34, 2, 8)],
        [TensorType.IQ4_NL] = [new(0, 2)],
        [TensorType.IQ4_XS] = [new(0, 2, 2)],
        [TensorType.TQ1_0] = [new(52, 2)],
        [TensorType.TQ2_0] = [new(64, 2)],
        [TensorType.Q1_0] = [new(0, 2)],
        [TensorType.Q2_0] = [new(0, 2)],
    };

    /// <summary>False for types that are bytes only.</summary>
    public static bool Matters(TensorType type) => type == TensorType.I2_S || Width(type) > 1 || Fields.ContainsKey(type);

    /// <summary>The largest number of bytes up to <paramref name="bytes"/> that ends with a block.</summary>
    public static int WholeBlocks(TensorType type, int bytes) => bytes - (bytes % TensorTypes.BlockBytes(type));

    /// <summary>Swaps whole blocks in place.</summary>
    /// <param name="type">The format.</param>
    /// <param name="blocks">Some of a tensor's blocks.</param>
    /// <param name="last">True where these are the tensor's last: an I2_S tensor ends with an F32 scale and 28 bytes of padding.</param>
    public static void Swap(TensorType type, Span<byte> blocks, bool last)
    {
        if (type == TensorType.I2_S)
        {
            if (last)
                blocks.Slice(blocks.Length - 32, 4).Reverse();
            return;
        }
        if (Width(type) > 1)
        {
            SwapAll(Width(type), blocks);
            return;
        }
        if (!Fields.TryGetValue(type, out var fields))
            return;
        var size = TensorTypes.BlockBytes(type);
        for (var block = 0; block + size <= blocks.Length; block += size)
        {
            foreach (var field in fields)
                SwapAll(field.Width, blocks.Slice(block + field.Offset, field.Width * field.Count));
        }
    }

    // Bytes of one number of a plain type; 0 for blocks.
    private static int Width(TensorType type) => TensorTypes.BlockSize(type) == 1 ? TensorTypes.BlockBytes(type) : 0;

    private static void SwapAll(int width, Span<byte> bytes)
    {
        switch (width)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            default:
                var longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }

    private readonly record struct Field(int Offset, int Width, int Count = 1);
}
