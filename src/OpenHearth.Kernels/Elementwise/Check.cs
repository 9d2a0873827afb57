using System.Runtime.CompilerServices;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>Bounds that must hold before pointers are taken.</summary>
internal static class Check
{
    /// <summary>A buffer holds <paramref name="rows"/> rows.</summary>
    public static void Rows(int length, int rows, int width, [CallerArgumentExpression(nameof(length))] string name = "")
    {
        if (rows < 0 || width <= 0 || length < (long)rows * width)
            throw new ArgumentException($"{name}: {length} values are no {rows} rows of {width}.");
    }

    /// <summary>An optional vector is absent or as wide as the rows.</summary>
    public static void Row(int length, int width, [CallerArgumentExpression(nameof(length))] string name = "")
    {
        if (length != 0 && length != width)
            throw new ArgumentException($"{name}: {length} values for rows of {width}.");
    }
}
