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
}
