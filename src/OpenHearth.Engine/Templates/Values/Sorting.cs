using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>A stable merge sort whose comparisons may fail and are charged to the budget.</summary>
internal static class Sorting
{
    public static T[] Sort<T>(Rendering rendering, T[] items, Func<T, Value> key, bool reverse)
    {
        rendering.Budget.TakeItems(2L * items.Length);
        var sorted = new (T Item, Value Key)[items.Length];
        for (var i = 0; i < items.Length; i++)
            sorted[i] = (items[i], key(items[i]));
        var other = new (T, Value)[items.Length];
        for (var width = 1; width < items.Length; width *= 2)
        {
            for (var start = 0; start < items.Length; start += 2 * width)
                Merge(rendering, sorted, other, start, Math.Min(start + width, items.Length), Math.Min(start + (2 * width), items.Length), reverse);
            (sorted, other) = (other, sorted);
        }
        return Array.ConvertAll(sorted, static pair => pair.Item);
    }

    private static void Merge<T>(
        Rendering rendering, (T Item, Value Key)[] from, (T, Value)[] to, int left, int middle, int end, bool reverse)
    {
        var right = middle;
        for (var k = left; k < end; k++)
        {
            var takeRight = left >= middle || (right < end && (reverse
                ? Comparison.IsLess(rendering, from[left].Key, from[right].Key)
                : Comparison.IsLess(rendering, from[right].Key, from[left].Key)));
            to[k] = takeRight ? from[right++] : from[left++];
        }
    }
}
