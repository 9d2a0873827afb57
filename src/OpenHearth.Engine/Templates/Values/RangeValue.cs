using System.Numerics;
using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>What <c>range</c> gives: evenly spaced integers that aren't stored.</summary>
internal sealed class RangeValue(BigInteger start, BigInteger stop, BigInteger step, int count) : Value
{
    /// <summary>The longest range that a template may make.</summary>
    public const int MaxLength = 100_000;

    public BigInteger Start => start;

    public BigInteger Stop => stop;

    public BigInteger Step => step;

    public override string TypeName => "range";

    public override int? Length => count;

    public static RangeValue Of(BigInteger start, BigInteger stop, BigInteger step)
    {
        if (step.IsZero)
            throw Errors.Value("range() arg 3 must not be zero");
        var distance = step.Sign > 0 ? stop - start : start - stop;
        var count = distance.Sign <= 0 ? BigInteger.Zero : ((distance - 1) / BigInteger.Abs(step)) + 1;
        if (count > MaxLength)
            throw Errors.Value($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxLength}).");
        return new(start, stop, step, (int)count);
    }

    public BigInteger At(int index) => start + (index * step);

    public RangeValue Slice(int first, int last, int length, BigInteger stride) => new(At(first), At(last), step * stride, length);

    public bool Contains(BigInteger value) =>
        count > 0 && ((value - start) % step).IsZero && (value - start) / step is var index && index.Sign >= 0 && index < count;

    public override void WriteRepr(TextSink sink) => sink.Append(step.IsOne ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})");

    public override IEnumerator<Value> Iterate()
    {
        for (var i = 0; i < count; i++)
            yield return IntegerValue.Of(At(i));
    }

    public override Value? Attribute(Rendering rendering, string name) => name switch
    {
        "start" => IntegerValue.Of(start),
        "stop" => IntegerValue.Of(stop),
        "step" => IntegerValue.Of(step),
        _ => ListMethods.FindOfTuple(this, name),
    };

    public override Value? Item(Rendering rendering, Value key) =>
        Sequence.TryIndex(key, count, out var index) ? IntegerValue.Of(At(index)) : null;
}
