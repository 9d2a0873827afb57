using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Memory that attention needs while it runs, kept between calls. It grows to the largest call and is not thread-safe.
/// </summary>
public sealed class AttentionWorkspace : IDisposable
{
    private NativeBuffer<float> _scratch = new(0);
    private NativeBuffer<float> _partials = new(0);

    internal List<AttentionUnit> Units { get; } = [];

    internal List<AttentionRun> Runs { get; } = [];

    internal int NextUnit;

    /// <summary>Bytes that a layer makes it hold.</summary>
    /// <param name="shape">The layer.</param>
    /// <param name="threads">Threads of the pool.</param>
    /// <param name="tokens">Tokens of the longest sequence, whose last is computed by itself.</param>
    public static long BytesFor(AttentionShape shape, int threads, int tokens) =>
        sizeof(float) * ((AttentionTile.ScratchLength(shape) * threads) + (Attention.PartialRows(shape, tokens) * AttentionTile.PartialWidth(shape)));

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _scratch.Dispose();
        _partials.Dispose();
    }

    internal NativeBuffer<float> Scratch(long length) => Grow(ref _scratch, length);

    internal NativeBuffer<float> Partials(long length) => Grow(ref _partials, length);

    private static NativeBuffer<float> Grow(ref NativeBuffer<float> buffer, long length)
    {
        if (buffer.Length >= length)
            return buffer;
        buffer.Dispose();
        buffer = new NativeBuffer<float>(length);
        return buffer;
    }
}

/// <summary>Rows (token · group + head of the group) of one run and key head against a range of keys.</summary>
internal struct AttentionUnit
{
    public int Run;
    public int KeyHead;
    public int FirstRow;
    public int Rows;
    public int FirstKey;
    public int EndKey;

    /// <summary>True for one unit of each row: a sink is one more score, and counts once.</summary>
    public bool CountsSinks;

    /// <summary>Where this unit's unfinished sums lie, or -1 if it sees all keys of its rows.</summary>
    public long Partial;
}
