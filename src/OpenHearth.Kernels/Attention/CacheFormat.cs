namespace OpenHearth.Kernels.Attention;

/// <summary>
/// How numbers are stored in a block of the cache. A plane of keys is [keyWidth, 64 tokens], transposed so that a vector
/// spans tokens; a plane of values is [64 tokens, valueWidth padded to 16]. Both then enter attention as the right side of
/// a plain row-major product. Formats with scales have them behind the numbers: one for each token and 32 of its values, or for
/// keys of 64 tokens in one channel, where a block is rounded as a whole.
/// </summary>
public abstract unsafe class CacheFormat
{
    /// <summary>Tokens in a block.</summary>
    public const int BlockTokens = 64;

    /// <summary>Values that share a scale, where a format has scales.</summary>
    internal const int GroupValues = 32;

    /// <summary>Single precision: nothing is rounded.</summary>
    public static CacheFormat F32 { get; } = new F32CacheFormat();

    /// <summary>Half precision: half the memory; magnitudes above 65504 are held there.</summary>
    public static CacheFormat F16 { get; } = new F16CacheFormat();

    /// <summary>The upper half of single precision: all its magnitudes, with 8 digits.</summary>
    public static CacheFormat BF16 { get; } = new BF16CacheFormat();

    /// <summary>8 bits and a scale for 32 values: 8.5 bits a value.</summary>
    public static CacheFormat Q8_0 { get; } = new Q8_0CacheFormat();

    /// <summary>4 bits and a scale for 32 values, or step and minimum for a channel of 64 keys: 4.5 bits a value.</summary>
    public static CacheFormat Q4_0 { get; } = new Q4_0CacheFormat();

    /// <summary>All formats.</summary>
    public static IReadOnlyList<CacheFormat> All { get; } = [F32, F16, BF16, Q8_0, Q4_0];

    /// <summary>The name that options and messages use.</summary>
    public abstract string Name { get; }

    /// <summary>Values of a stored value row: whole vectors of every width.</summary>
    internal static int Padded(int width) => (width + 15) & ~15;

    /// <summary>Scales of a token, where a format has scales.</summary>
    internal static int Groups(int width) => (width + GroupValues - 1) / GroupValues;

    /// <summary>Bytes of <paramref name="width"/> values for each token of a block.</summary>
    internal abstract long PlaneBytes(int width);

    /// <summary>True where values are stored rotated.</summary>
    internal virtual bool RotatesValues => false;

    /// <summary>True where keys of a block wait in half precision until it is full, and are rounded together then.</summary>
    internal virtual bool SealsKeys => false;

    /// <summary>Puts a token's key into its column, of a plane in half precision where <see cref="SealsKeys"/>.</summary>
    /// <param name="key">[width]</param>
    /// <param name="plane">The plane.</param>
    /// <param name="token">Place in the block.</param>
    /// <param name="width">Values of the key.</param>
    internal abstract void StoreKey(float* key, byte* plane, int token, int width);

    /// <summary>Rounds the keys of a full block, where <see cref="SealsKeys"/>.</summary>
    /// <param name="waiting">[width, 64 tokens] in half precision</param>
    /// <param name="plane">The plane.</param>
    /// <param name="width">Values of a key.</param>
    /// <param name="turn">How they turn first, or null.</param>
    /// <param name="first">The token from which on they need be precise: those before are kept elsewhere.</param>
    internal virtual void SealKeys(byte* waiting, byte* plane, int width, KeyTurn? turn, int first) => throw new NotSupportedException($"{Name} rounds every key by itself.");

    /// <summary>Puts a token's value into its row.</summary>
    /// <param name="value">[width]</param>
    /// <param name="plane">The plane.</param>
    /// <param name="token">Place in the block.</param>
    /// <param name="width">Values of the value.</param>
    /// <param name="part">What <see cref="HeadRotation"/> rotates together; for formats that do.</param>
    internal abstract void StoreValue(float* value, byte* plane, int token, int width, int part);

    /// <summary>Most rows of queries or weights for which <see cref="MultiplyKeys"/> and <see cref="MultiplyValues"/> are there, and faster than decoding first.</summary>
    internal virtual int MostRowsOfStored => 0;

    /// <summary>True where these round queries and weights, too: not for exact results.</summary>
    internal virtual bool RoundsOtherSide => false;

    /// <summary>scores += queries · keys, as they lie in the cache. Needs AVX-512 and generated kernels.</summary>
    /// <param name="queries">[rows, width]</param>
    /// <param name="plane">The plane.</param>
    /// <param name="width">Values of a key.</param>
    /// <param name="scores">[rows, 64 tokens]</param>
    /// <param name="rows">Up to <see cref="MostRowsOfStored"/>.</param>
    /// <param name="next">A plane that is read next, and better fetched meanwhile; need not exist</param>
    internal virtual void MultiplyKeys(float* queries, byte* plane, int width, float* scores, int rows, byte* next) =>
        throw new NotSupportedException($"Keys in {Name} are decoded first.");

    /// <summary>sums += weights · values, likewise.</summary>
    /// <param name="weights">[rows, 64 tokens]</param>
    /// <param name="plane">The plane.</param>
    /// <param name="first">The first token that counts.</param>
    /// <param name="count">How many count.</param>
    /// <param name="paddedWidth">Values of a row of the plane.</param>
    /// <param name="sums">[rows, paddedWidth]</param>
    /// <param name="rows">Up to <see cref="MostRowsOfStored"/>.</param>
    /// <param name="next">As for keys.</param>
    internal virtual void MultiplyValues(float* weights, byte* plane, int first, int count, int paddedWidth, float* sums, int rows, byte* next) =>
        throw new NotSupportedException($"Values in {Name} are decoded first.");

    /// <summary>A plane of keys as floats: where it lies, or decoded into <paramref name="scratch"/>. The bits don't depend on the processor.</summary>
    internal abstract float* LoadKeys(byte* plane, int width, float* scratch);

    /// <summary>A plane of values as floats, likewise. Numbers without scales don't care which way they lie.</summary>
    internal virtual float* LoadValues(byte* plane, int paddedWidth, float* scratch) => LoadKeys(plane, paddedWidth, scratch);
}
