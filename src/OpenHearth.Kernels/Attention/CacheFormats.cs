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

    /// <summary>Values of a key that are rotated together, 1 for none. Values in keys must be whole parts of them.</summary>
    internal int KeyPart(AttentionShape shape) => !Keys.Rotates ? 1
        : shape.ValuesInKeys ? Math.Min(HeadRotation.PartOf(shape.KeyWidth), HeadRotation.PartOf(shape.ValueWidth))
        : HeadRotation.PartOf(shape.KeyWidth);

    /// <summary>Values of a result that are rotated together, 1 for none.</summary>
    internal int ValuePart(AttentionShape shape) => shape.ValuesInKeys ? KeyPart(shape) : Values.Rotates ? HeadRotation.PartOf(shape.ValueWidth) : 1;

    /// <summary>Bytes before the plane of values.</summary>
    internal long KeyBytes(AttentionShape shape) => Keys.PlaneBytes(shape.KeyWidth);
}
