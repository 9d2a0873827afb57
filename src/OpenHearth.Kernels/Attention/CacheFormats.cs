namespace OpenHearth.Kernels.Attention;

/// <summary>How the keys and how the values of a cache are stored. For one key head of one layer, a block holds a plane of each.</summary>
/// <param name="Keys">Format of the keys, and of values that are part of them.</param>
/// <param name="Values">Format of the values.</param>
public readonly record struct CacheFormats(CacheFormat Keys, CacheFormat Values)
{
    /// <summary>One name where both are the same, otherwise that of the keys and that of the values.</summary>
    public string Name => Keys == Values ? Keys.Name : $"{Keys.Name}/{Values.Name}";

    /// <summary>Bytes that one attention layer takes in a block.</summary>
    public long BlockBytes(AttentionShape shape) => shape.KeyHeads * HeadBytes(shape);

    /// <summary>Bytes of one key head of one layer in a block.</summary>
    internal long HeadBytes(AttentionShape shape) => KeyBytes(shape) + (shape.ValuesInKeys ? 0 : Values.PlaneBytes(CacheFormat.Padded(shape.ValueWidth)));

    /// <summary>True where a block of keys is rounded as a whole. Until it is full they wait in memory that the sequence has beside its blocks.</summary>
    public bool SealsKeys => Keys.SealsKeys;

    /// <summary>Bytes that the waiting keys of one attention layer take in a sequence.</summary>
    public long WaitingBytes(AttentionShape shape) => shape.KeyHeads * WaitingHeadBytes(shape);

    /// <summary>Bytes of one key head of them: a block in half precision, then the first key of the sequence.</summary>
    internal long WaitingHeadBytes(AttentionShape shape) => SealsKeys ? CacheFormat.F16.PlaneBytes(shape.KeyWidth) + (shape.KeyWidth * sizeof(ushort)) : 0;

    /// <summary>Values of a result that are rotated together, 1 for none.</summary>
    internal int ValuePart(AttentionShape shape) => Values.RotatesValues && !shape.ValuesInKeys ? HeadRotation.PartOf(shape.ValueWidth) : 1;

    /// <summary>Bytes before the plane of values.</summary>
    internal long KeyBytes(AttentionShape shape) => Keys.PlaneBytes(shape.KeyWidth);
}
