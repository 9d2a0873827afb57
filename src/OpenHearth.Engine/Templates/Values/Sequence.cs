using System.Numerics;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Indices and slices with Python's rules for negative and missing bounds.</summary>
internal static class Sequence
{
    /// <summary>How deep lists, tuples and dictionaries may nest.</summary>
    public const int MaxDepth = 200;

    /// <summary>The depth of a container of these values.</summary>
    public static int DepthOf(ReadOnlySpan<Value> items)
    {
        var depth = 0;
        foreach (var item in items)
            depth = Math.Max(depth, item.Depth);
        return CheckDepth(depth + 1);
    }

    public static int CheckDepth(int depth) =>
        depth <= MaxDepth ? depth : throw Errors.Limit($"lists or dictionaries nested deeper than {MaxDepth}");

    /// <summary>An index into a sequence of a length; false where the key is no integer or out of range.</summary>
    public static bool TryIndex(Value key, int length, out int index)
    {
        index = -1;
        if (!Number.TryInteger(key, out var value))
            return false;
        if (value.Sign < 0)
            value += length;
        if (value.Sign < 0 || value >= length)
            return false;
        index = (int)value;
        return true;
    }

    public static Value Slice(Rendering rendering, Value target, Value? start, Value? stop, Value? step)
    {
        if (target is UndefinedValue undefined)
            throw undefined.Failure();
        if (target is not (StringValue or ListValue or TupleValue or RangeValue))
        {
            throw Errors.Type(target is DictValue
                ? "unhashable type: 'slice'"
                : $"'{target.TypeName}' object is not subscriptable");
        }
        var (first, last, count, stride) = Bounds(target.Length!.Value, start, stop, step);
        rendering.Budget.Scan(count);
        return target switch
        {
            ListValue list => rendering.Made(Pick(list.Items, first, count, stride).ToList()),
            TupleValue tuple => new TupleValue([.. rendering.Made(Pick(tuple.Items, first, count, stride).ToList()).Items]),
            RangeValue range => range.Slice(first, last, count, stride),
            _ => SliceText(rendering, (StringValue)target, first, count, stride),
        };
    }

    private static StringValue SliceText(Rendering rendering, StringValue target, int first, int count, BigInteger stride)
    {
        var text = target.Text;
        rendering.Budget.Scan(text.Length);
        if (count == 0)
            return target.With("");
        if (target.IsFlat && stride.IsOne)
            return rendering.Made(text.Substring(first, count), target.IsMarkup);
        if (stride.IsOne)
            return rendering.Made(CodePoints.Substring(text, first, count), target.IsMarkup);
        var sink = new TextSink(rendering.Budget);
        if (target.IsFlat)
        {
            foreach (var unit in Pick(text.ToCharArray(), first, count, stride))
                sink.Append(unit);
        }
        else
        {
            rendering.Budget.Take(4L * text.Length);
            foreach (var offset in Pick(CodePoints.Offsets(text), first, count, stride))
                sink.Append(text.AsSpan(offset, CodePoints.WidthAt(text, offset)));
        }
        return StringValue.Of(sink.Take(), target.IsMarkup);
    }

    private static IEnumerable<T> Pick<T>(T[] items, int first, int count, BigInteger stride)
    {
        var step = count > 1 ? (int)stride : 1;
        for (var i = 0; i < count; i++)
            yield return items[first + (i * step)];
    }

    /// <summary>The first index, the one to stop before, the number of elements and the step of a slice.</summary>
    private static (int First, int Stop, int Count, BigInteger Step) Bounds(int length, Value? start, Value? stop, Value? step)
    {
        var stride = Bound(step) ?? BigInteger.One;
        if (stride.IsZero)
            throw Errors.Value("slice step cannot be zero");
        var backwards = stride.Sign < 0;
        var lowest = backwards ? -1 : 0;
        var highest = backwards ? length - 1 : length;
        var from = Clamp(Bound(start), backwards ? highest : lowest);
        var to = Clamp(Bound(stop), backwards ? lowest : highest);
        var distance = backwards ? from - to : to - from;
        return (from, to, distance <= 0 ? 0 : (int)((distance - 1) / BigInteger.Abs(stride)) + 1, stride);

        int Clamp(BigInteger? bound, int missing)
        {
            if (bound is not { } value)
                return missing;
            if (value.Sign < 0)
                value += length;
            return value < lowest ? lowest : value > highest ? highest : (int)value;
        }
    }

    private static BigInteger? Bound(Value? value)
    {
        if (value is null or NoneValue)
            return null;
        if (value is UndefinedValue || !Number.TryInteger(value, out var integer))
            throw Errors.Type("slice indices must be integers or None or have an __index__ method");
        return integer;
    }
}
