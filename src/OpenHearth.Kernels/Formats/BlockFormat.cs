namespace OpenHearth.Kernels.Formats;

/// <summary>
/// One storage format, in one file: its layout and its plain scalar decoding (and encoding, where there is one),
/// which is the reference that every fast kernel is tested against. Stateless and thread-safe.
/// </summary>
public abstract class BlockFormat(TensorType type)
{
    /// <summary>The type this format stores.</summary>
    public TensorType Type { get; } = type;

    /// <summary>Values in one block.</summary>
    public int BlockSize { get; } = TensorTypes.BlockSize(type);

    /// <summary>Bytes of one block.</summary>
    public int BlockBytes { get; } = TensorTypes.BlockBytes(type);

    /// <summary>Decodes whole blocks, bit for bit as ggml does.</summary>
    /// <param name="blocks">[n blocks × BlockBytes]</param>
    /// <param name="values">[n blocks × BlockSize]</param>
    public abstract void Decode(ReadOnlySpan<byte> blocks, Span<float> values);

    /// <summary>True where <see cref="Encode"/> is implemented.</summary>
    public virtual bool CanEncode => false;

    /// <summary>Encodes whole blocks with the format's reference method, without an importance matrix.</summary>
    /// <param name="values">[n blocks × BlockSize]</param>
    /// <param name="blocks">[n blocks × BlockBytes]</param>
    /// <exception cref="NotSupportedException">The format is read-only here; see <see cref="CanEncode"/>.</exception>
    public virtual void Encode(ReadOnlySpan<float> values, Span<byte> blocks) =>
        throw new NotSupportedException($"{Type} can be read but not written.");
}
