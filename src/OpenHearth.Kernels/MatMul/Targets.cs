using System.Runtime.CompilerServices;

namespace OpenHearth.Kernels.MatMul;

/// <summary>One product among those that share an activation: a matrix and where its results go.</summary>
internal unsafe struct Target
{
    public Matrix Weights;
    public float* Y; // [tokens, rows of the matrix]
    public int First; // row of the matrix that is computed first
    public int Rows; // that are computed
}

/// <summary>Up to three products that share an activation, cut into parts of neighbouring rows.</summary>
internal struct Targets
{
    private Three _all;
    private int _count;

    /// <summary>Rows in a part; the last part of a matrix may have fewer.</summary>
    public int RowsPerPart;

    /// <summary>Number of parts of all matrices.</summary>
    public int Parts;

    /// <summary>Adds a product.</summary>
    public unsafe void Add(Matrix weights, float* y) => Add(weights, y, 0, weights.Rows);

    /// <summary>Adds a product with some rows of a matrix.</summary>
    public unsafe void Add(Matrix weights, float* y, int first, int rows) =>
        _all[_count++] = new Target { Weights = weights, Y = y, First = first, Rows = rows };

    /// <summary>Number of products.</summary>
    public readonly int Count => _count;

    /// <summary>One of the products.</summary>
    public readonly Target this[int index] => _all[index];

    /// <summary>Sets the rows of a part.</summary>
    public void Cut(int rowsPerPart)
    {
        RowsPerPart = rowsPerPart;
        Parts = 0;
        for (var i = 0; i < _count; i++)
            Parts += (_all[i].Rows + rowsPerPart - 1) / rowsPerPart;
    }

    /// <summary>Cuts for reading weights once: parts small enough to even out the load, large enough that handing them out costs nothing.</summary>
    /// <param name="threads">Threads that share the parts, each neighbouring ones.</param>
    /// <param name="partsOfThread">Parts of each, as long as they aren't large: beginning one takes a microsecond, waiting for the last one longer.</param>
    public void CutForStreaming(int threads, int partsOfThread = 4)
    {
        var partBytes = Math.Clamp(Bytes() / (threads * partsOfThread), 16 << 10, 512 << 10);
        Cut((int)Math.Max(1, partBytes / _all[0].Weights.RowBytes));
    }

    /// <summary>Bytes of all weights that are read.</summary>
    public readonly long Bytes()
    {
        var bytes = 0L;
        for (var i = 0; i < _count; i++)
            bytes += (long)_all[i].Rows * _all[i].Weights.RowBytes;
        return bytes;
    }

    /// <summary>True where a format has minimums, which sums of activations are needed for.</summary>
    public readonly bool HaveMins()
    {
        for (var i = 0; i < _count; i++)
        {
            if (_all[i].Weights.Codes is { HasMins: true })
                return true;
        }
        return false;
    }

    /// <summary>Finds the rows of a part.</summary>
    public readonly Target Part(int part, out int first, out int end) => Part(part, out first, out end, out _);

    /// <summary>Finds the rows of a part and which product they belong to.</summary>
    public readonly Target Part(int part, out int first, out int end, out int index)
    {
        for (index = 0; ; index++)
        {
            var rows = _all[index].Rows;
            var parts = (rows + RowsPerPart - 1) / RowsPerPart;
            if (part < parts)
            {
                first = _all[index].First + (part * RowsPerPart);
                end = Math.Min(first + RowsPerPart, _all[index].First + rows);
                return _all[index];
            }
            part -= parts;
        }
    }

    [InlineArray(3)]
    private struct Three
    {
        private Target _first;
    }
}
