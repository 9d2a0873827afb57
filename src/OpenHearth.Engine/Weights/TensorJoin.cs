using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// How a foreign tensor is made of canonical ones that stack experts or heads: slice by slice along the first dimension, so that it need
/// never be in memory whole. What is made of slices follows each other along its first dimension.
/// </summary>
/// <param name="Parts">The canonical tensors, with their endings.</param>
/// <param name="Make">Makes a slice of the same slice [1, …] of each part, all F32; in memory of its own.</param>
internal sealed record TensorJoin(string[] Parts, Func<StoredTensor[], StoredTensor> Make)
{
    /// <summary>False where the parts are matrices, joined as they are.</summary>
    public bool AreStacks { get; init; } = true;

    /// <summary>The slices, which the caller disposes of one by one.</summary>
    /// <param name="parts">The tensors that <see cref="Parts"/> names.</param>
    public IEnumerable<StoredTensor> Slices(IReadOnlyList<StoredTensor> parts)
    {
        var count = Count(parts);
        for (var slice = 0L; slice < count; slice++)
            yield return MakeSlice(parts, slice);
    }

    /// <summary>The shape of the whole; makes the first slice.</summary>
    /// <param name="parts">The tensors that <see cref="Parts"/> names.</param>
    public long[] Shape(IReadOnlyList<StoredTensor> parts)
    {
        var count = Count(parts);
        var first = MakeSlice(parts, 0);
        using (first.Owner)
            return [checked(first.Shape[0] * count), .. first.Shape.AsSpan(1)];
    }

    /// <summary>The rows of matrices [1, rows, columns] below each other: [1, all rows, columns].</summary>
    public static StoredTensor Below(params ReadOnlySpan<StoredTensor> matrices)
    {
        var bytes = 0L;
        foreach (var matrix in matrices)
            bytes = checked(bytes + matrix.Data.Length);
        var buffer = new NativeBuffer<byte>(bytes);
        var (to, rows) = (0L, 0L);
        foreach (var matrix in matrices)
        {
            var length = checked((int)matrix.Data.Length);
            matrix.Data.Span(0, length).CopyTo(buffer.Slice(to, length));
            (to, rows) = (to + length, rows + matrix.RowCount);
        }
        return new StoredTensor(matrices[0].Name, matrices[0].Type, [1, rows, matrices[0].Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    private long Count(IReadOnlyList<StoredTensor> parts)
    {
        if (!AreStacks)
            return 1;
        foreach (var part in parts)
        {
            // Matrices of which the file has the rows below each other can't be told apart here.
            var dimensions = part.Name.EndsWith(".bias", StringComparison.Ordinal) ? 2 : 3;
            if (part.Shape.Length != dimensions || part.Shape[0] == 0 || part.Shape[0] != parts[0].Shape[0])
                throw new ModelFormatException($"tensor {ModelFormatException.Quote(part.Name)} has shape [{string.Join(", ", part.Shape)}], expected {dimensions} dimensions, the first as in {ModelFormatException.Quote(parts[0].Name)}");
        }
        return parts[0].Shape[0];
    }

    private StoredTensor MakeSlice(IReadOnlyList<StoredTensor> parts, long slice)
    {
        var decoded = new StoredTensor[parts.Count];
        try
        {
            for (var i = 0; i < decoded.Length; i++)
                decoded[i] = Slice(parts[i], slice).Decode();
            return Make(decoded);
        }
        finally
        {
            foreach (var tensor in decoded)
                tensor?.Owner?.Dispose();
        }
    }

    private StoredTensor Slice(StoredTensor tensor, long slice)
    {
        if (!AreStacks)
            return tensor;
        var rows = tensor.RowCount / tensor.Shape[0];
        return tensor.Rows(slice * rows, rows) with { Shape = [1, .. tensor.Shape.AsSpan(1)] };
    }
}
