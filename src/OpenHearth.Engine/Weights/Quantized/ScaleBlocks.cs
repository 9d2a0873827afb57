namespace OpenHearth.Engine.Weights.Quantized;

/// <summary>Scales whose shape says what they are for: the matrix, its rows, groups of a row, or blocks.</summary>
internal static class ScaleBlocks
{
    /// <summary>Reads scales and the size of the block that shares one.</summary>
    /// <param name="group">Where they are.</param>
    /// <param name="ending">Of their name.</param>
    /// <param name="rows">Outputs of the matrix.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="block">Rows and columns of a block where the configuration names them.</param>
    /// <exception cref="Files.ModelFormatException">The shape fits none of these.</exception>
    public static ((int Rows, int Columns) Block, float[] Scales) Read(TensorGroup group, string ending, int rows, int columns, long[]? block)
    {
        var shape = group.Get(ending).Shape;
        if (block is not null && shape.Count == 2)
        {
            var scales = group.Floats(ending, (rows + block[0] - 1) / block[0], (columns + block[1] - 1) / block[1]);
            return (((int)block[0], (int)block[1]), scales);
        }
        (int, int) size = shape switch
        {
            [] or [1] or [1, 1] => (rows, columns),
            [var r] when r == rows => (1, columns),
            [var r, > 0 and var groups] when r == rows && columns % groups == 0 => (1, (int)(columns / groups)),
            _ => throw group.Wrong(ending, $"shape [{string.Join(", ", shape)}], which gives a matrix of [{rows}, {columns}] no scales for its rows, groups or blocks"),
        };
        return (size, group.Floats(ending));
    }
}
