using System.Buffers;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// Rows of small integers whose columns fall into groups with a scale and a zero: <c>value = scale · (code − zero)</c>,
/// exact in F32 where scales are F16 or BF16.
/// </summary>
public abstract class GroupedRows : RowDecoder
{
    private readonly int _groupSize;
    private readonly int[]? _groupOf;

    /// <summary>Describes the groups.</summary>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="groupSize">Columns of a group; 0 or less means all of them.</param>
    /// <param name="groupOf">[columns] group of each column where they are not in order, or empty</param>
    /// <exception cref="ArgumentException">A column's group does not exist.</exception>
    private protected GroupedRows(int rows, int columns, int groupSize, ReadOnlySpan<int> groupOf) : base(rows, columns)
    {
        _groupSize = groupSize <= 0 ? columns : groupSize;
        Groups = Parts(columns, _groupSize);
        if (groupOf.IsEmpty)
            return;
        Require(nameof(groupOf), groupOf.Length, columns);
        groupOf = groupOf[..columns];
        foreach (var group in groupOf)
        {
            if ((uint)group >= (uint)Groups)
                throw new ArgumentException($"A column is in group {group} of {Groups}.", nameof(groupOf));
        }
        for (var i = 0; i < columns && _groupOf is null; i++)
            _groupOf = groupOf[i] == i / _groupSize ? null : groupOf.ToArray();
    }

    /// <summary>Number of groups of a row.</summary>
    public int Groups { get; }

    /// <summary>Unpacks the codes of a row. [columns]</summary>
    private protected abstract void ReadCodes(int row, Span<byte> codes);

    /// <summary>Unpacks the scales and zeros of a row. [groups]</summary>
    private protected abstract void ReadGroups(int row, Span<float> scales, Span<int> zeros);

    private protected override void Decode(int row, Span<float> values)
    {
        var codes = ArrayPool<byte>.Shared.Rent(Columns);
        var scales = ArrayPool<float>.Shared.Rent(Groups);
        var zeros = ArrayPool<int>.Shared.Rent(Groups);
        ReadCodes(row, codes.AsSpan(0, Columns));
        ReadGroups(row, scales.AsSpan(0, Groups), zeros.AsSpan(0, Groups));
        if (_groupOf is null)
        {
            for (var (start, group) = (0, 0); start < Columns; start += _groupSize, group++)
            {
                var length = Math.Min(_groupSize, Columns - start);
                Scale(codes.AsSpan(start, length), scales[group], zeros[group], values.Slice(start, length));
            }
        }
        else
        {
            for (var i = 0; i < values.Length; i++)
                values[i] = scales[_groupOf[i]] * (codes[i] - zeros[_groupOf[i]]);
        }
        ArrayPool<byte>.Shared.Return(codes);
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<int>.Shared.Return(zeros);
    }

    private static void Scale(ReadOnlySpan<byte> codes, float scale, int zero, Span<float> values)
    {
        var i = 0;
        for (; i <= codes.Length - 16; i += 16)
        {
            var (lower, upper) = Vector256.Widen(Vector256.WidenLower(Vector128.Create(codes.Slice(i, 16)).ToVector256Unsafe()).AsInt16());
            ((Vector256.ConvertToSingle(lower - Vector256.Create(zero))) * scale).CopyTo(values[i..]);
            ((Vector256.ConvertToSingle(upper - Vector256.Create(zero))) * scale).CopyTo(values[(i + 8)..]);
        }
        for (; i < codes.Length; i++)
            values[i] = scale * (codes[i] - zero);
    }
}
