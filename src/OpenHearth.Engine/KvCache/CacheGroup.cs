namespace OpenHearth.Engine.KvCache;

/// <summary>The attention layers of a model that see equally far back. They share blocks, which are freed once none of them can see a token in there.</summary>
/// <param name="Window">A token sees those less than so many before it; 0 for no limit.</param>
/// <param name="Chunk">A token sees those of its own chunk of this length; 0 for no limit.</param>
/// <param name="BlockBytes">Bytes of 64 tokens in all its layers.</param>
/// <param name="WaitingBytes">Bytes of the keys that wait until their block is full, in all its layers; 0 where none do.</param>
internal sealed record CacheGroup(int Window, int Chunk, long BlockBytes, long WaitingBytes = 0)
{
    /// <summary>Tokens that stay behind what can be seen, so that a sequence can be shortened by as many without being computed anew.</summary>
    public const int Slack = 256;

    /// <summary>True where tokens can go out of sight.</summary>
    public bool Forgets => Window > 0 || Chunk > 0;

    /// <summary>The first token that those from a position on can see.</summary>
    public int FirstVisible(int position) =>
        Math.Max(Window > 0 ? Math.Max(position - Window + 1, 0) : 0, Chunk > 0 ? position / Chunk * Chunk : 0);

    /// <summary>Blocks that a sequence of so many tokens holds at most while it grows by steps.</summary>
    public int BlocksFor(int tokens, int step)
    {
        var all = CacheLayout.BlocksFor(tokens);
        if (!Forgets)
            return all;
        var sight = Math.Min(Window > 0 ? Window : int.MaxValue, Chunk > 0 ? Chunk : int.MaxValue);
        return (int)Math.Min(all, (((long)sight + Slack + step) / Kernels.Attention.CacheFormat.BlockTokens) + 2);
    }
}
