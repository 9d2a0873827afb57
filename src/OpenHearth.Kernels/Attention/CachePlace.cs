namespace OpenHearth.Kernels.Attention;

/// <summary>Where the keys and values of one attention layer are.</summary>
/// <param name="InBlock">Byte offset in every block.</param>
/// <param name="Waiting">Byte offset in what a sequence has for keys that wait; without meaning where no keys do.</param>
/// <param name="Turn">How blocks of keys turn before they are rounded as a whole; null where rotary embedding doesn't turn them.</param>
public readonly record struct CachePlace(long InBlock, long Waiting = 0, KeyTurn? Turn = null);
