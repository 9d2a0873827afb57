using System.Numerics;
using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>An integer of any size up to <see cref="MaxBits"/> bits.</summary>
internal sealed class IntegerValue : Value
{
    /// <summary>More than any template needs, little enough that one operation stays cheap.</summary>
    public const int MaxBits = 16_384;

    private const int SmallFrom = -16;
    private const int SmallTo = 256;
    private static readonly IntegerValue?[] Small = new IntegerValue?[SmallTo - SmallFrom];

    private IntegerValue(BigInteger value) => Value = value;

    public BigInteger Value { get; }

    public override string TypeName => "int";

    public override bool IsTrue => !Value.IsZero;

    public static IntegerValue Of(int value) =>
        value is >= SmallFrom and < SmallTo ? Small[value - SmallFrom] ??= new(value) : new(value);

    /// <exception cref="TemplateException">The number is larger than a template may make it (kind limit).</exception>
    public static IntegerValue Of(BigInteger value)
    {
        if (value >= SmallFrom && value < SmallTo)
            return Of((int)value);
        if (value.GetBitLength() > MaxBits)
            throw Errors.Limit($"an integer of more than {MaxBits} bits");
        return new(value);
    }

    public override void WriteRepr(TextSink sink)
    {
        sink.Budget.Convert(Value.GetBitLength());
        sink.Append(PythonNumber.Text(Value));
    }

    public override Value? Attribute(Rendering rendering, string name) => NumberMethods.Find(this, name);
}
