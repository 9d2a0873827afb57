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
    /// True above five bits a weight: the second cache has more lines on their way than the first, and with fewer bits it costs more
    /// than that to fetch them from there (docs/log.md).
    /// </summary>
    public bool FetchesIntoSecondCache => 8 * StepBytes > 5 * StepColumns;

    /// <summary>
    /// For each vector of codes of a step, the sixteens of columns that its four quarters hold, or the eights of its eighths:
    /// see <see cref="OrderColumns"/>. [vectors × 64 / OrderColumns]
    /// </summary>
    public abstract ReadOnlySpan<byte> Order { get; }

    /// <summary>Columns of an entry of <see cref="Order"/>: 16 or 8.</summary>
    public virtual int OrderColumns => 16;

    /// <summary>
    /// Of each 128 columns of a step, which one is in whose place before they are ordered; empty where each is in its own. Bytes that
    /// hold several columns then need not be spread over neighbouring bytes. Not with <see cref="Bytes"/> or <see cref="Sums"/>.
    /// </summary>
    public virtual ReadOnlySpan<byte> Places => [];

    /// <summary>Vectors of codes of a step.</summary>
    public int Vectors => Order.Length * OrderColumns / 64;

    /// <summary>Which of a quarter's sixteen bytes count, a bit each; the activations of others are zero.</summary>
    /// <param name="quarter">A quarter of a vector.</param>
    public virtual ushort Bytes(int quarter) => 0xFFFF;

    /// <summary>What was added to codes to make them unsigned; it comes off the integer sums. 0 for formats that add <see cref="Sums"/> themselves.</summary>
    public virtual int Offset => 0;

    /// <summary>Vectors of codes that one <see cref="GemvWriter.Multiply"/> takes, where there is an offset or they come in pieces.</summary>
    public virtual int Together => Vectors;

    /// <summary>
    /// Whether codes that share scales come one vector at a time: units that multiply are then busy while others take the next
    /// apart, and a row needs fewer registers.
    /// </summary>
    public virtual bool InPieces => false;

    /// <summary>
    /// For each lane, the sixteen of columns whose sum of activations the step's sum vector holds there; -1 for none. Empty where
    /// there is no such vector.
    /// </summary>
    public virtual ReadOnlySpan<sbyte> Sums => [];

    /// <summary>Sixteens that follow each other in a sum: 1 or 2.</summary>
    public virtual int SumLength => 2;

    /// <summary>What sums are multiplied with: what was added to codes, negated; or ±1 for minimums.</summary>
    public virtual float SumFactor => 1;

    /// <summary>
    /// Takes registers and loads what does not change from step to step; returns what writes a row's step: taking its blocks
    /// apart and giving <see cref="GemvWriter.Multiply"/> for its codes and, where there are sums,
    /// <see cref="GemvWriter.AddSums"/> once. Between two of them other rows are written, so what is still needed then must be
    /// in registers of <see cref="GemvWriter.Vector"/>.
    /// </summary>
    public abstract Func<IEnumerable<GemvProduct>> Write(GemvWriter w);
}
