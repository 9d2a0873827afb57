using System.Buffers.Binary;

namespace OpenHearth.Kernels.Formats;

/// <summary>
/// One storage format, in one file: its layout and its plain scalar decoding (and encoding, where there is one),
/// which is the reference that every fast kernel is tested against. Stateless and thread-safe.
/// Any bit pattern is a valid block: decoding never fails, though values may be infinite or not a number.
/// </summary>
public abstract class BlockFormat(TensorType type)
{
    /// <summary>The type this format stores.</summary>
    public TensorType Type { get; } = type;

    /// <summary>Values in one block.</summary>
    public int BlockSize { get; } = TensorTypes.BlockSize(type);

    /// <summary>Bytes of one block.</summary>
    public int BlockBytes { get; } = TensorTypes.BlockBytes(type);

    /// <summary>Decodes whole blocks with the widest vectors at hand, bit for bit as <see cref="DecodeScalar"/> does.</summary>
    /// <param name="blocks">[n blocks × BlockBytes]; more bytes are left alone</param>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <exception cref="ArgumentException"><paramref name="values"/> is no whole number of blocks, or bytes are missing.</exception>
    public unsafe void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        var bytes = BytesOf(values.Length, blocks.Length);
        fixed (byte* block = blocks)
        fixed (float* to = values)
            DecodeBlocks(block, block + bytes, to);
    }

    /// <summary>Decodes whole blocks value by value, bit for bit as ggml does: the reference for <see cref="Decode"/>.</summary>
    /// <param name="blocks">[n blocks × BlockBytes]; more bytes are left alone</param>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <exception cref="ArgumentException"><paramref name="values"/> is no whole number of blocks, or bytes are missing.</exception>
    public void DecodeScalar(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        blocks = blocks[..BytesOf(values.Length, blocks.Length)];
        for (var (from, to) = (0, 0); to < values.Length; from += BlockBytes, to += BlockSize)
            DecodeBlock(blocks.Slice(from, BlockBytes), values.Slice(to, BlockSize));
    }

    /// <summary>Decodes one block, plainly.</summary>
    /// <param name="block">[BlockBytes]</param>
    /// <param name="values">[BlockSize]</param>
    protected abstract void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values);

    /// <summary>Decodes whole blocks fast; a format without a fast way leaves it at the scalar one.</summary>
    /// <param name="block">[n blocks × BlockBytes]</param>
    /// <param name="end">Behind the last block.</param>
    /// <param name="to">[n blocks × BlockSize]</param>
    private protected virtual unsafe void DecodeBlocks(byte* block, byte* end, float* to)
    {
        for (; block < end; block += BlockBytes, to += BlockSize)
            DecodeBlock(new(block, BlockBytes), new(to, BlockSize));
    }

    /// <summary>The factor for all values of a tensor that is stored behind its blocks; 1 in most formats.</summary>
    /// <param name="trailer">[<see cref="TensorTypes.TrailerBytes"/>]: what follows the tensor's last block.</param>
    public virtual float TensorScale(ReadOnlySpan<byte> trailer) => 1;

    /// <summary>True where values can be written in this format.</summary>
    public virtual bool CanEncode => false;

    /// <summary>True where encoding is of no use without an importance matrix and refuses to do so.</summary>
    public virtual bool NeedsImportance => false;

    /// <summary>Encodes whole blocks as ggml's reference code does. Any values may be given; those that the format can't hold saturate.</summary>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <param name="blocks">[n blocks × BlockBytes]; more bytes are left alone</param>
    /// <exception cref="NotSupportedException">The format is read-only here, or <see cref="NeedsImportance"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="values"/> is no whole number of blocks, or room is missing.</exception>
    public void Encode(ReadOnlySpan<float> values, Span<byte> blocks) => Encode(values, [], blocks);

    /// <summary>Encodes one row of a matrix as ggml's reference code does, minding how much each column matters.</summary>
    /// <param name="row">[n blocks × BlockSize]</param>
    /// <param name="importance">[as row] mean square of each input, or empty; formats that can't use it ignore it</param>
    /// <param name="blocks">[n blocks × BlockBytes]; more bytes are left alone</param>
    /// <exception cref="NotSupportedException">The format is read-only here, or <see cref="NeedsImportance"/> and there is none.</exception>
    /// <exception cref="ArgumentException">The row is no whole number of blocks, or room or importance is missing.</exception>
    public void Encode(ReadOnlySpan<float> row, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        if (!CanEncode)
            throw new NotSupportedException($"{Type} can be read but not written.");
        if (NeedsImportance && importance.IsEmpty && !row.IsEmpty)
            throw new NotSupportedException($"{Type} can't be written without an importance matrix.");
        if (!importance.IsEmpty && importance.Length < row.Length)
            throw new ArgumentException($"A row of {row.Length} values needs as many importances; there are {importance.Length}.", nameof(importance));
        blocks = blocks[..BytesOf(row.Length, blocks.Length)];
        if (importance.IsEmpty)
            EncodeBlocks(row, blocks);
        else
            EncodeScalar(row, new Importance(importance, ScaleSearch.MeanSquare(row)), blocks);
    }

    /// <summary>Encodes one block, plainly.</summary>
    /// <param name="values">[BlockSize]</param>
    /// <param name="importance">[BlockSize], or none</param>
    /// <param name="block">[BlockBytes], every byte to be written</param>
    private protected virtual void EncodeBlock(ReadOnlySpan<float> values, Importance importance, Span<byte> block) =>
        throw new NotSupportedException($"{Type} can be read but not written.");

    /// <summary>Encodes whole blocks without importance, fast; a format without a fast way leaves it at the scalar one.</summary>
    /// <param name="values">[n blocks × BlockSize], exactly</param>
    /// <param name="blocks">[n blocks × BlockBytes], exactly</param>
    private protected virtual void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks) => EncodeScalar(values, default, blocks);

    /// <summary>Encodes whole blocks one by one, plainly.</summary>
    internal void EncodeScalar(ReadOnlySpan<float> values, Importance importance, Span<byte> blocks)
    {
        for (var (from, to) = (0, 0); from < values.Length; from += BlockSize, to += BlockBytes)
            EncodeBlock(values.Slice(from, BlockSize), importance.Slice(from, BlockSize), blocks.Slice(to, BlockBytes));
    }

    /// <summary>The F16 number at a byte offset.</summary>
    protected static float Half(ReadOnlySpan<byte> block, int offset) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[offset..]);

    /// <summary>Writes an F16 number at a byte offset, rounding ties to even.</summary>
    /// <returns>The number as it will be read.</returns>
    protected static float WriteHalf(Span<byte> block, int offset, float value)
    {
        var half = (Half)value;
        BinaryPrimitives.WriteHalfLittleEndian(block[offset..], half);
        return (float)half;
    }

    private int BytesOf(int values, int available)
    {
        var (count, rest) = Math.DivRem(values, BlockSize);
        if (rest != 0)
            throw new ArgumentException($"{values} values are no whole number of {Type} blocks of {BlockSize}.", nameof(values));
        var bytes = (long)count * BlockBytes;
        return available >= bytes
            ? (int)bytes
            : throw new ArgumentException($"{values} values of type {Type} take {bytes} bytes; there are {available}.", nameof(available));
    }
}
