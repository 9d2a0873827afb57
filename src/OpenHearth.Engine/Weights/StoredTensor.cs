using System.Runtime.InteropServices;
using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Weights;

/// <summary>A tensor as a file holds it, or a part of one. The memory is the file's.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Type">How numbers are stored.</param>
/// <param name="Shape">Dimensions, the length of a row last.</param>
/// <param name="Data">The blocks, row after row.</param>
internal sealed record StoredTensor(string Name, TensorType Type, long[] Shape, MemoryRegion Data)
{
    /// <summary>Memory of its own, where it is no part of a file; whoever made the tensor frees it.</summary>
    public IDisposable? Owner { get; init; }

    /// <summary>The length of a row.</summary>
    public long Columns => Shape.Length == 0 ? 1 : Shape[^1];

    /// <summary>The number of rows, all leading dimensions together.</summary>
    public long RowCount
    {
        get
        {
            var rows = 1L;
            foreach (var dimension in Shape.AsSpan(0, Math.Max(Shape.Length - 1, 0)))
                rows = checked(rows * dimension);
            return rows;
        }
    }

    /// <summary>Rows [first, first + count) as a matrix, in the same memory.</summary>
    public StoredTensor Rows(long first, long count)
    {
        var rowBytes = TensorTypes.RowBytes(Type, Columns);
        return new StoredTensor(Name, Type, [count, Columns], Data.Slice(checked(first * rowBytes), checked(count * rowBytes)));
    }

    /// <summary>The rows as a matrix, in the same memory; a bias stays one. Convolutions have a dimension of one between.</summary>
    public StoredTensor Flatten() => Shape.Length < 3 ? this : this with { Shape = [RowCount, Columns] };

    /// <summary>The first or second half of the rows of each matrix of a stack, in memory of its own.</summary>
    /// <param name="half">0 or 1.</param>
    public StoredTensor HalfOfEach(int half) => Shape is [var count, var rows, var columns] && rows % 2 == 0
        ? TakeRows(count * rows / 2, row => row + ((row / (rows / 2)) + half) * (rows / 2)) with { Shape = [count, rows / 2, columns] }
        : throw new ModelFormatException($"tensor {ModelFormatException.Quote(Name)} of shape [{string.Join(", ", Shape)}] can't be halved");

    /// <summary>A matrix of some rows, in memory of its own.</summary>
    /// <param name="count">How many.</param>
    /// <param name="source">The row that belongs at a place.</param>
    public StoredTensor TakeRows(long count, Func<long, long> source)
    {
        var bytes = checked((int)TensorTypes.RowBytes(Type, Columns));
        var buffer = new NativeBuffer<byte>(checked(count * bytes));
        for (var row = 0L; row < count; row++)
            Data.Span(source(row) * bytes, bytes).CopyTo(buffer.Slice(row * bytes, bytes));
        return new StoredTensor(Name, Type, [count, Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>The rows of a matrix behind some of zeros, in memory of its own.</summary>
    /// <param name="count">How many come before.</param>
    public StoredTensor BehindZeros(int count)
    {
        var before = checked(count * TensorTypes.RowBytes(Type, Columns));
        var buffer = new NativeBuffer<byte>(checked(before + Data.Length));
        Data.Span(0, checked((int)Data.Length)).CopyTo(buffer.Slice(before, checked((int)Data.Length)));
        return new StoredTensor(Name, Type, [checked(count + RowCount), Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>The numbers in one row, in the same memory.</summary>
    public StoredTensor Line() => this with { Shape = [RowCount * Columns] };

    /// <summary>The numbers one a row, in the same memory.</summary>
    public StoredTensor Column() => this with { Shape = [RowCount * Columns, 1] };

    /// <summary>Tensors one after the other, each a row; in memory of its own.</summary>
    public static StoredTensor Stack(IReadOnlyList<StoredTensor> rows)
    {
        var first = rows[0].Line();
        if (rows.FirstOrDefault(row => row.Type != first.Type || row.Data.Length != first.Data.Length) is { } other)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(other.Name)} has another type or size than {ModelFormatException.Quote(first.Name)}");
        var buffer = new NativeBuffer<byte>(rows.Count * first.Data.Length);
        for (var i = 0; i < rows.Count; i++)
            rows[i].Data.Span(0, checked((int)first.Data.Length)).CopyTo(buffer.Slice(i * first.Data.Length, checked((int)first.Data.Length)));
        return new StoredTensor(first.Name, first.Type, [rows.Count, first.Columns], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>What <see cref="Flatten"/> was made of where the dimension of one stands last but one, in the same memory; a bias stays one.</summary>
    public StoredTensor Unflatten() => Shape.Length == 2 ? this with { Shape = [Shape[0], 1, Shape[1]] } : this;

    /// <summary>What a transform makes of it. Memory of its own goes along, or is freed where the result doesn't need it.</summary>
    public StoredTensor Then(Func<StoredTensor, StoredTensor> transform)
    {
        var made = transform(this);
        if (made.Owner is null)
            return made with { Owner = Owner };
        if (made.Owner != Owner)
            Owner?.Dispose();
        return made;
    }

    /// <summary>Every number plus one: what norms multiply with where the file has the difference from one.</summary>
    public StoredTensor PlusOne() => Map(value => value + 1);

    /// <summary>What <see cref="PlusOne"/> was made of.</summary>
    public StoredTensor MinusOne() => Map(value => value - 1);

    /// <summary>What state spaces decay with where the file has logarithms of it, and neither sign.</summary>
    public StoredTensor ToDecay() => Map(logarithm => -MathF.Exp(logarithm));

    /// <summary>What <see cref="ToDecay"/> was made of.</summary>
    public StoredTensor ToLogarithm() => Map(decay => MathF.Log(-decay));

    /// <summary>Other numbers in place of a small tensor's, as F32 in memory of its own.</summary>
    public StoredTensor Map(Func<float, float> function)
    {
        var decoded = Decode(out var values);
        foreach (ref var value in values)
            value = function(value);
        return decoded;
    }

    /// <summary>The numbers as F32 in memory of their own.</summary>
    public StoredTensor Decode() => Decode(out _);

    private StoredTensor Decode(out Span<float> values)
    {
        var count = checked((int)(RowCount * Columns));
        if (!BlockFormats.TryGet(Type, out var format) || count % format.BlockSize != 0)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(Name)} of type {Type} can't be decoded");
        var buffer = new NativeBuffer<byte>((long)count * sizeof(float));
        values = MemoryMarshal.Cast<byte, float>(buffer.Slice(0, checked(count * sizeof(float))));
        var bytes = checked((int)TensorTypes.RowBytes(Type, count));
        format.Decode(Data.Span(0, bytes), values);
        if (TensorTypes.TrailerBytes(Type) is > 0 and var trailer)
        {
            var scale = format.TensorScale(Data.Span(bytes, trailer));
            foreach (ref var value in values)
                value *= scale;
        }
        return new StoredTensor(Name, TensorType.F32, Shape, MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>A matrix of plain numbers, or each of a stack, with rows and columns exchanged, in memory of its own.</summary>
    public StoredTensor Transpose() => Transpose(0, checked((int)Columns));

    /// <summary>Some columns of a matrix of plain numbers, or of each of a stack, as rows; in memory of their own.</summary>
    public StoredTensor Transpose(int from, int columns)
    {
        var (rows, all) = (Shape.Length < 2 ? 1 : checked((int)Shape[^2]), checked((int)Columns));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)from + columns, all, nameof(columns));
        var size = TensorTypes.BlockBytes(Type);
        if (TensorTypes.BlockSize(Type) != 1)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(Name)} of type {Type} can't be transposed");
        var total = RowCount;
        var buffer = new NativeBuffer<byte>(total * columns * size);
        for (var r = 0L; r < total; r++)
        {
            var row = Data.Span(((r * all) + from) * size, columns * size);
            var first = (r / rows * rows * columns) + (r % rows);
            for (var c = 0; c < columns; c++)
                row.Slice(c * size, size).CopyTo(buffer.Slice((first + ((long)c * rows)) * size, size));
        }
        return new StoredTensor(Name, Type, [.. Shape[..^Math.Min(2, Shape.Length)], columns, rows], MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>
    /// Rows of queries, keys and values, which follow each other group by group, in the order of all queries, all keys, all values;
    /// a bias likewise. In memory of its own, but for a single group.
    /// </summary>
    /// <param name="groups">Key heads.</param>
    /// <param name="queries">Query heads of each.</param>
    public StoredTensor Ungroup(int groups, int queries) => Regroup(groups, queries, isGrouped: true);

    /// <summary>What <see cref="Ungroup"/> was made of.</summary>
    public StoredTensor Group(int groups, int queries) => Regroup(groups, queries, isGrouped: false);

    private StoredTensor Regroup(int groups, int queries, bool isGrouped)
    {
        if (groups == 1)
            return this;
        var rows = Shape.Length < 2 ? Columns : RowCount;
        var heads = checked((long)groups * (queries + 2));
        if (rows == 0 || rows % heads != 0 || (Shape.Length < 2 && TensorTypes.BlockSize(Type) != 1))
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(Name)} of shape [{string.Join(", ", Shape)}] can't hold {groups} groups of {queries} queries, a key and a value");
        var size = checked((int)(Data.Length / heads)); // bytes of a head
        var buffer = new NativeBuffer<byte>(Data.Length);
        for (var head = 0L; head < heads; head++)
        {
            var (group, place) = Math.DivRem(head, queries + 2);
            var to = place < queries ? (group * queries) + place : ((long)groups * place) + group;
            var (source, target) = isGrouped ? (head, to) : (to, head);
            Data.Span(source * size, size).CopyTo(buffer.Slice(target * size, size));
        }
        return new StoredTensor(Name, Type, Shape, MemoryRegion.Of(buffer)) { Owner = buffer };
    }

    /// <summary>Heads in another order, in memory of their own.</summary>
    /// <param name="before">Values that stay where they are, in front of the heads.</param>
    /// <param name="values">Neighbouring values of a head.</param>
    /// <param name="heads">How many follow each other; where the tensor has more values, those begin anew.</param>
    /// <param name="source">The head that belongs at a place.</param>
    public StoredTensor ReorderHeads(long before, long values, int heads, Func<int, int> source)
    {
        var run = checked(before + (heads * values));
        var count = checked(RowCount * Columns);
        if (TensorTypes.BlockSize(Type) != 1 || run == 0 || count % run != 0)
            throw new ModelFormatException($"tensor {ModelFormatException.Quote(Name)} of type {Type} and shape [{string.Join(", ", Shape)}] can't hold {heads} heads of {values} values behind {before}");
        var size = TensorTypes.BlockBytes(Type);
        var (skipped, head) = (checked((int)(before * size)), checked((int)(values * size)));
        var buffer = new NativeBuffer<byte>(Data.Length);
        for (var start = 0L; start < count * size; start += run * size)
        {
            Data.Span(start, skipped).CopyTo(buffer.Slice(start, skipped));
            for (var h = 0; h < heads; h++)
                Data.Span(start + skipped + ((long)source(h) * head), head).CopyTo(buffer.Slice(start + skipped + ((long)h * head), head));
        }
        return new StoredTensor(Name, Type, Shape, MemoryRegion.Of(buffer)) { Owner = buffer };
    }
}
