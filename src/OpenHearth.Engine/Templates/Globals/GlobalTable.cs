using OpenHearth.Engine.Templates.Methods;
using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Globals;

/// <summary>Functions that every template sees.</summary>
internal static class GlobalTable
{
    private static readonly Dictionary<string, Builtin> All = Builtin.Table(
    [
        new("range", 1, ["start", "stop", "step"], Range),
        new("dict", Dict),
        new("namespace", Namespace),
        new("cycler", static (_, a) => new CyclerValue(a.Positional)),
        new("joiner", 0, ["sep"], static (r, a) => new JoinerValue(a[0] is null ? StringValue.Of(", ") : a[0]!)),
        new("raise_exception", 1, ["message"], static (r, a) => throw new TemplateException(TemplateErrorKind.Raised, r.Text(a[0]!))),
        new("strftime_now", 1, ["format"], Now),
    ]);

    public static Value? Find(Rendering rendering, string name)
    {
        if (All.TryGetValue(name, out var builtin))
            return new FunctionValue(builtin);
        return name == "self" ? new SelfValue() : null;
    }

    private static RangeValue Range(Rendering rendering, Value?[] arguments)
    {
        var numbers = Array.ConvertAll(arguments, static value => value is null ? null : Integer(value));
        return numbers[1] is null
            ? RangeValue.Of(0, numbers[0]!.Value.Integer, 1)
            : RangeValue.Of(numbers[0]!.Value.Integer, numbers[1]!.Value.Integer, numbers[2]?.Integer ?? 1);
    }

    private static Number? Integer(Value value)
    {
        if (value is UndefinedValue undefined)
            throw undefined.Failure();
        return Number.TryRead(value, out var number) && number.IsInteger
            ? number
            : throw Errors.Type($"'{value.TypeName}' object cannot be interpreted as an integer");
    }

    private static DictValue Dict(Rendering rendering, Arguments arguments)
    {
        if (arguments.Positional.Length > 1)
            throw Errors.Type($"dict expected at most 1 argument, got {arguments.Positional.Length}");
        var dict = new DictValue();
        if (arguments.Positional is [DictValue other])
        {
            foreach (var (key, value) in other.Items)
                Add(key, value);
        }
        else if (arguments.Positional is [var pairs])
        {
            foreach (var pair in rendering.ToList(pairs))
            {
                var parts = rendering.ToList(pair);
                if (parts.Count != 2)
                    throw Errors.Value($"dictionary update sequence element has length {parts.Count}; 2 is required");
                Add(parts[0], parts[1]);
            }
        }
        foreach (var (name, value) in arguments.Named)
            Add(StringValue.Of(name), value);
        return dict;

        void Add(Value key, Value value)
        {
            rendering.Budget.Step();
            rendering.Budget.TakeItems(2);
            dict.Set(key, value);
        }
    }

    private static NamespaceValue Namespace(Rendering rendering, Arguments arguments)
    {
        var space = new NamespaceValue();
        foreach (var (key, value) in Dict(rendering, arguments).Items)
            space.Set(rendering.Text(key), value);
        return space;
    }

    private static StringValue Now(Rendering rendering, Value?[] arguments)
    {
        var sink = new TextSink(rendering.Budget);
        Strftime.Write(sink, rendering.Clock.GetLocalNow().DateTime, StringMethods.Text(arguments[0]!, "strftime"));
        return StringValue.Of(sink.Take());
    }
}
