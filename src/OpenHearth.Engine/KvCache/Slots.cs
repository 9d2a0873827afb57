namespace OpenHearth.Engine.KvCache;

/// <summary>Where an attention layer's keys and values are kept: the index of the layer in the cache's layout.</summary>
internal readonly record struct CacheSlot(int Index);

/// <summary>Where a layer's recurrent state is kept among the floats of a sequence.</summary>
internal readonly record struct StateSlot(int Offset, int Length);
