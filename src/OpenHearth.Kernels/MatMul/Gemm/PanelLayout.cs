namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// Where things lie in a panel: 16 rows, cut into steps of 32 columns, each step in one piece:
/// <code>
/// codes    [8 fours of columns][16 rows][4] signed bytes
/// offsets  [groups][16 rows] I32: -128 · Σ codes, which takes back that activations are moved up to be unsigned
/// scales   [groups][16 rows] F32
/// mins     [groups][16 rows] F32, in formats that have them
/// </code>
/// A step has one group of 32 or two of 16. A tile of activations has for each step
/// <c>[upper, lower byte][8 fours][tokens][4]</c> unsigned bytes, and its sums are <c>[groups][tokens]</c> F32.
/// </summary>
internal readonly struct PanelLayout(int group, bool hasMins)
{
    public const int Rows = 16;
    public const int StepColumns = 32;
    public const int CodeBytes = Rows * StepColumns;
    private const int VectorBytes = 64;

    /// <summary>Codes that share a scale: 16 or 32.</summary>
    public int Group { get; } = group;

    /// <summary>Whether there are minimums.</summary>
    public bool HasMins { get; } = hasMins;

    /// <summary>Groups in a step.</summary>
    public int Groups => StepColumns / Group;

    /// <summary>Bytes of a step.</summary>
    public int StepBytes => CodeBytes + Groups * VectorBytes * (HasMins ? 3 : 2);

    /// <summary>Bytes of a panel.</summary>
    public int Bytes(int columns) => columns / StepColumns * StepBytes;

    /// <summary>Where a group's offsets lie in a step.</summary>
    public static int Offsets(int g) => CodeBytes + g * VectorBytes;

    /// <summary>Where a group's scales lie in a step.</summary>
    public int Scales(int g) => CodeBytes + (Groups + g) * VectorBytes;

    /// <summary>Where a group's minimums lie in a step.</summary>
    public int Mins(int g) => CodeBytes + (2 * Groups + g) * VectorBytes;
}
