using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Text;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>Something that isn't there: prints nothing, is false and empty, and fails where it is used for more.</summary>
internal sealed class UndefinedValue : Value
{
    private readonly string? _name;
    private readonly string? _hint;
    private readonly Value? _owner;
    private readonly Value? _key;
    private readonly bool _isUnsafe;

    /// <summary>A name that nothing sets; <paramref name="hint"/> replaces the usual message.</summary>
    public UndefinedValue(string name, string? hint = null)
    {
        _name = name;
        _hint = hint;
    }

    /// <summary>A member or element that a value lacks.</summary>
    public UndefinedValue(Value owner, Value key)
    {
        _owner = owner;
        _key = key;
    }

    private UndefinedValue(string name, string hint, bool isUnsafe) : this(name, hint) => _isUnsafe = isUnsafe;

    /// <summary>A member that templates may not use.</summary>
    public static UndefinedValue Unsafe(Value owner, string name) =>
        new(name, $"access to attribute '{name}' of '{owner.TypeName}' object is unsafe.", true);

    /// <summary>The name that isn't set; empty for a missing member or element.</summary>
    public string Name => _name ?? "";

    public override string TypeName => "Undefined";

    public override int? Length => 0;

    public TemplateException Failure() => _isUnsafe ? Errors.Security(Message) : Errors.Undefined(Message);

    public override void WriteRepr(TextSink sink) => sink.Append("Undefined");

    public override void WriteText(TextSink sink)
    {
    }

    public override IEnumerator<Value> Iterate() => Enumerable.Empty<Value>().GetEnumerator();

    public override Value Call(Rendering rendering, Arguments arguments) => throw Failure();

    private string Message
    {
        get
        {
            if (_hint is not null)
                return _hint;
            if (_owner is null)
                return $"'{_name}' is undefined";
            var sink = new TextSink(new Budget(TemplateLimits.Default, 0));
            if (_key is StringValue key)
            {
                PythonString.WriteRepr(key.Text, sink);
                return $"'{_owner.Description}' has no attribute {sink.Take()}";
            }
            _key!.WriteRepr(sink);
            return $"{_owner.Description} has no element {sink.Take()}";
        }
    }
}
