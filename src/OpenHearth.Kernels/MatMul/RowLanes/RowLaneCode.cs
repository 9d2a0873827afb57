namespace OpenHearth.Kernels.MatMul.RowLanes;

/// <summary>
/// How the generated product with 16 rows in lanes reads a format. Each vector of codes holds four columns of
/// every row, so that a scale costs one instruction for a group of all rows. Codes are unsigned bytes. Stateless and thread-safe.
/// </summary>
internal abstract class RowLaneCode
{
    /// <summary>Tokens from which this is faster than rows as they lie in the file.</summary>
    public virtual int FewestTokens => 2;

    /// <summary>Columns that share a scale: 16 or 32.</summary>
    public virtual int Group => 32;

    /// <summary>
    /// How far apart the columns of a four are: 1; or 4 or 8, for formats with groups of 32 whose bytes hold neighbouring columns.
    /// Four k of a group then begins at column k % stride + k / stride · 4 · stride.
    /// </summary>
    public virtual int Stride => 1;

    /// <summary>Columns of a block: a multiple of 32.</summary>
    public abstract int StepColumns { get; }

    /// <summary>Bytes of a block.</summary>
    public abstract int StepBytes { get; }

    /// <summary>What was added to codes to make them unsigned.</summary>
    public virtual int Offset => 0;

    /// <summary>Whether groups have minimums.</summary>
    public virtual bool HasMins => false;

    /// <summary>Called once for each kernel: takes registers and constants, returns what writes a block.</summary>
    public abstract Action Write(RowLaneWriter w);
}
