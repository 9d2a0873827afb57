using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Conversion;

/// <summary>Decodes the rows of a tensor and encodes them in another type, a few at a time on all cores.</summary>
internal static class RowConversion
{
    // So many values are decoded at once, or one row where that is longer.
    private const int Piece = 1 << 22;
    private const long LongestRow = 1 << 28;

    /// <summary>Writes a tensor.</summary>
    /// <param name="from">How it is stored.</param>
    /// <param name="to">How it is to be stored.</param>
    /// <param name="columns">Values of a row.</param>
    /// <param name="data">The tensor.</param>
    /// <param name="stream">Where it goes.</param>
    /// <param name="order">The row that belongs at a place; null to keep them as they are.</param>
    /// <exception cref="ModelFormatException">A row is longer than any model's.</exception>
    public static void Write(TensorType from, TensorType to, long columns, MemoryRegion data, Stream stream, Func<long, long>? order = null)
    {
        if (columns > LongestRow)
            throw new ModelFormatException($"a row of {columns} values can't be converted");
        var (source, target, width) = (BlockFormats.Get(from), BlockFormats.Get(to), (int)columns);
        var trailer = TensorTypes.TrailerBytes(from);
        var scale = trailer == 0 ? 1 : source.TensorScale(data.Span(data.Length - trailer, trailer));
        var sourceBytes = checked((int)TensorTypes.RowBytes(from, columns));
        var targetBytes = checked((int)TensorTypes.RowBytes(to, columns));
        var rows = width == 0 ? 0 : (data.Length - trailer) / sourceBytes;
        var step = (int)Math.Min(Math.Max(Piece / Math.Max(width, 1), 1), Math.Max(rows, 1));
        var values = new float[checked(step * width)];
        var blocks = new byte[checked(step * targetBytes)];
        for (var first = 0L; first < rows; first += step)
        {
            var count = (int)Math.Min(step, rows - first);
            var start = first;
            Parallel.For(0, count, row =>
            {
                var line = values.AsSpan(row * width, width);
                source.Decode(data.Span((order is null ? start + row : order(start + row)) * sourceBytes, sourceBytes), line);
                if (trailer > 0)
                {
                    foreach (ref var value in line)
                        value *= scale;
                }
                target.Encode(line, blocks.AsSpan(row * targetBytes, targetBytes));
            });
            stream.Write(blocks, 0, count * targetBytes);
        }
    }
}
