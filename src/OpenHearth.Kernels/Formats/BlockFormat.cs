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
    public void Decode(ReadOnlySpan<byte> blocks, Span<float> values) => DecodeBlocks(Exactly(blocks, values.Length), values);

    /// <summary>Decodes whole blocks value by value, bit for bit as ggml does: the reference for <see cref="Decode"/>.</summary>
    /// <param name="blocks">[n blocks × BlockBytes]; more bytes are left alone</param>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <exception cref="ArgumentException"><paramref name="values"/> is no whole number of blocks, or bytes are missing.</exception>
    public void DecodeScalar(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        blocks = Exactly(blocks, values.Length);
        for (var (from, to) = (0, 0); to < values.Length; from += BlockBytes, to += BlockSize)
            DecodeBlock(blocks.Slice(from, BlockBytes), values.Slice(to, BlockSize));
    }

    /// <summary>Decodes one block, plainly.</summary>
    /// <param name="block">[BlockBytes]</param>
    /// <param name="values">[BlockSize]</param>
    protected abstract void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values);

    /// <summary>Decodes whole blocks fast; a format without a fast way leaves it at the scalar one.</summary>
    /// <param name="blocks">[n blocks × BlockBytes], exactly</param>
    /// <param name="values">[n blocks × BlockSize], exactly</param>
    protected virtual void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values) => DecodeScalar(blocks, values);

    /// <summary>The factor for all values of a tensor that is stored behind its blocks; 1 in most formats.</summary>
    /// <param name="trailer">[<see cref="TensorTypes.TrailerBytes"/>]: what follows the tensor's last block.</param>
    public virtual float TensorScale(ReadOnlySpan<byte> trailer) => 1;

    /// <summary>True where <see cref="Encode"/> is implemented.</summary>
    public virtual bool CanEncode => false;

    /// <summary>Encodes whole blocks with the format's reference method, without an importance matrix.</summary>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <param name="blocks">[n blocks × BlockBytes]</param>
    /// <exception cref="NotSupportedException">The format is read-only here; see <see cref="CanEncode"/>.</exception>
    public virtual void Encode(ReadOnlySpan<float> values, Span<byte> blocks) =>
        throw new NotSupportedException($"{Type} can be read but not written.");

    /// <summary>The F16 number at a byte offset.</summary>
    protected static float Half(ReadOnlySpan<byte> block, int offset) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[offset..]);

    private ReadOnlySpan<byte> Exactly(ReadOnlySpan<byte> blocks, int values)
    {
        var (count, rest) = Math.DivRem(values, BlockSize);
        if (rest != 0)
            throw new ArgumentException($"{values} values are no whole number of {Type} blocks of {BlockSize}.", nameof(values));
        var bytes = (long)count * BlockBytes;
        return blocks.Length >= bytes
            ? blocks[..(int)bytes]
            : throw new ArgumentException($"{values} values of type {Type} take {bytes} bytes; there are {blocks.Length}.", nameof(blocks));
    }
}
