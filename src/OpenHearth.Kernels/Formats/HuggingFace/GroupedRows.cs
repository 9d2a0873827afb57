using System.Buffers;
using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// Rows of small integers whose columns fall into groups with a scale and a zero: <c>value = scale · (code − zero)</c>,
/// exact in F32 where scales are F16 or BF16.
/// </summary>
public abstract class GroupedRows : RowDecoder
{
    /// <summary>Rows unpacked at a time.</summary>
    private const int MostRows = 64;

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

    /// <summary>Unpacks the codes of some rows; the first and their number are multiples of 8. [count, columns]</summary>
    private protected virtual void ReadCodes(int first, int count, Span<byte> codes)
    {
        for (var i = 0; i < count; i++)
            ReadCodes(first + i, codes.Slice(i * Columns, Columns));
    }

    /// <summary>Unpacks the scales and zeros of a row. [groups]</summary>
    private protected abstract void ReadGroups(int row, Span<float> scales, Span<int> zeros);

    private protected override void Decode(int first, int count, Span<float> values)
    {
        var codes = ArrayPool<byte>.Shared.Rent(checked(Math.Min(count, MostRows) * Columns));
        for (var done = 0; done < count;)
        {
            var rows = (first + done) % 8 == 0 ? Math.Min(count - done, MostRows) / 8 * 8 : 0;
            if (rows > 0)
                ReadCodes(first + done, rows, codes.AsSpan(0, rows * Columns));
            else
                ReadCodes(first + done, codes.AsSpan(0, Columns));
            for (var i = 0; i < Math.Max(rows, 1); i++, done++)
                Decode(first + done, codes.AsSpan(i * Columns, Columns), values.Slice(done * Columns, Columns));
        }
        ArrayPool<byte>.Shared.Return(codes);
    }

    private protected override void Decode(int row, Span<float> values) => Decode(row, 1, values);

    private void Decode(int row, ReadOnlySpan<byte> codes, Span<float> values)
    {
        var scales = ArrayPool<float>.Shared.Rent(Groups);
        var zeros = ArrayPool<int>.Shared.Rent(Groups);
        ReadGroups(row, scales.AsSpan(0, Groups), zeros.AsSpan(0, Groups));
        if (_groupOf is null)
        {
            for (var (start, group) = (0, 0); start < Columns; start += _groupSize, group++)
            {
                var length = Math.Min(_groupSize, Columns - start);
                Scale(codes.Slice(start, length), scales[group], zeros[group], values.Slice(start, length));
            }
        }
        else
        {
            for (var i = 0; i < values.Length; i++)
                values[i] = scales[_groupOf[i]] * (codes[i] - zeros[_groupOf[i]]);
        }
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
