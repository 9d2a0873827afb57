namespace OpenHearth.Kernels.Attention;

/// <summary>
/// How keys and values lie in a block of the cache. For one key head of one layer a block holds
/// keys [keyWidth, 64 tokens], transposed so that a vector spans tokens, then values [64 tokens, valueWidth padded to 16].
/// Both then enter attention as the right side of a plain row-major product.
/// </summary>
public abstract unsafe class CacheFormat
{
    /// <summary>Tokens in a block.</summary>
    public const int BlockTokens = 64;

    /// <summary>Single precision: nothing is rounded.</summary>
    public static CacheFormat F32 { get; } = new F32CacheFormat();

    /// <summary>Half precision: half the memory; magnitudes above 65504 are held there.</summary>
    public static CacheFormat F16 { get; } = new F16CacheFormat();

    /// <summary>The name that options and messages use.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes that one attention layer takes in a block.</summary>
    public long BlockBytes(AttentionShape shape) => shape.KeyHeads * HeadBytes(shape);

    /// <summary>Values of a stored value row: whole vectors of every width.</summary>
    internal static int Padded(int width) => (width + 15) & ~15;

    /// <summary>Bytes of one key head of one layer in a block.</summary>
    internal long HeadBytes(AttentionShape shape) => KeyBytes(shape) + (shape.ValuesInKeys ? 0 : ValueBytes(Padded(shape.ValueWidth)));

    internal long KeyBytes(AttentionShape shape) => PlaneBytes(shape.KeyWidth);

    internal long ValueBytes(int paddedWidth) => PlaneBytes(paddedWidth);

    /// <summary>Bytes of <paramref name="width"/> values for each token of a block.</summary>
    protected abstract long PlaneBytes(int width);

    /// <summary>Puts a token's key into its column.</summary>
    internal abstract void StoreKey(float* key, byte* plane, int token, int width);

    /// <summary>Puts a token's value into its row.</summary>
    internal abstract void StoreValue(float* value, byte* plane, int token, int width);

    /// <summary>A plane as floats: where it lies, or decoded into <paramref name="scratch"/>.</summary>
    internal abstract float* Load(byte* plane, int width, float* scratch);
}
