using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>
/// How a foreign tensor is made of canonical ones that stack experts or heads: slice by slice along the first dimension, so that it need
/// never be in memory whole. What is made of slices follows each other along its first dimension. A matrix is one slice as it is.
/// </summary>
/// <param name="Parts">The canonical tensors, with their endings.</param>
/// <param name="Make">Makes a slice of the same slice [1, …] of each part, or of the matrices, all F32; in memory of its own.</param>
internal sealed record TensorJoin(string[] Parts, Func<StoredTensor[], StoredTensor> Make)
{
    /// <summary>The slices, which the caller disposes of one by one.</summary>
    /// <param name="parts">The tensors that <see cref="Parts"/> names.</param>
    public IEnumerable<StoredTensor> Slices(IReadOnlyList<StoredTensor> parts)
    {
        for (var slice = 0L; slice < Count(parts); slice++)
            yield return MakeSlice(parts, slice);
    }

    /// <summary>The shape of the whole; makes the first slice.</summary>
    /// <param name="parts">The tensors that <see cref="Parts"/> names.</param>
    public long[] Shape(IReadOnlyList<StoredTensor> parts)
    {
        var first = MakeSlice(parts, 0);
        using (first.Owner)
            return [checked(first.Shape[0] * Count(parts)), .. first.Shape.AsSpan(1)];
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

    private static long Count(IReadOnlyList<StoredTensor> parts) => parts.All(part => part.Shape.Length == 2) ? 1 : parts[0].Shape is [var count, _, _, ..] && parts.All(part => part.Shape[0] == count)
        ? count
        : throw new ModelFormatException($"tensors {string.Join(", ", parts.Select(part => ModelFormatException.Quote(part.Name)))} don't stack the same number of matrices");

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

    private static StoredTensor Slice(StoredTensor tensor, long slice)
    {
        if (tensor.Shape.Length == 2)
            return tensor;
        var rows = tensor.RowCount / tensor.Shape[0];
        return tensor.Rows(slice * rows, rows) with { Shape = [1, .. tensor.Shape.AsSpan(1)] };
    }
}
