using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>A set of code points: ranges (first and last, ascending), classes, or the opposite of both.</summary>
internal sealed class CodePointSet((int First, int Last)[] ranges, CharClass classes = CharClass.None, bool inverted = false)
{
    /// <summary>True where the code point is in the set.</summary>
    public bool Contains(int codePoint) => ((CodePoints.Classify(codePoint) & classes) != 0 || InRanges(codePoint)) != inverted;

    private bool InRanges(int codePoint)
    {
        var (low, high) = (0, ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (codePoint < ranges[middle].First)
                high = middle - 1;
            else if (codePoint > ranges[middle].Last)
                low = middle + 1;
            else
                return true;
        }
        return false;
    }
}
