namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>
/// How the generated product of few tokens reads a format: rows as they lie in the file, a step of neighbouring columns
/// at a time. A step's codes become unsigned bytes in vectors of 64; the activations are laid out in the order in which
/// codes come out of the packed bytes.
/// </summary>
internal abstract class GemvCode
{
    /// <summary>Columns of a step.</summary>
    public abstract int StepColumns { get; }

    /// <summary>Bytes of a step.</summary>
    public abstract int StepBytes { get; }

    /// <summary>
    /// For each vector of codes of a step, the sixteens of columns that its four quarters hold. [vectors × 4]
    /// </summary>
    public abstract ReadOnlySpan<byte> Order { get; }

    /// <summary>Which of a quarter's sixteen bytes count, a bit each; the activations of others are zero.</summary>
    /// <param name="quarter">Its place in <see cref="Order"/>.</param>
    public virtual ushort Bytes(int quarter) => 0xFFFF;

    /// <summary>
    /// For each lane, the sixteen of columns whose sum of activations the step's sum vector holds there; -1 for none.
    /// </summary>
    public abstract ReadOnlySpan<sbyte> Sums { get; }

    /// <summary>Sixteens that follow each other in a sum: 1 or 2.</summary>
    public virtual int SumLength => 2;

    /// <summary>What sums are multiplied with: what was added to codes to make them unsigned, negated; or ±1 for minimums.</summary>
    public abstract float SumFactor { get; }

    /// <summary>
    /// Takes registers and loads what does not change from step to step; returns what writes a step: taking its blocks
    /// apart, <see cref="GemvWriter.Multiply"/> for its codes and <see cref="GemvWriter.AddSums"/> once.
    /// </summary>
    public abstract Action Write(GemvWriter w);
}
