using OpenHearth.Engine.Templates.Running;

namespace OpenHearth.Engine.Templates.Values;

/// <summary>The variable <c>loop</c>. It looks ahead only when asked for the last turn, the next element or the length.</summary>
internal sealed class LoopValue(Rendering rendering, Value iterable, IEnumerator<Value> items, int depth, Func<Value, int, Value>? recurse) : Value
{
    private Queue<Value>? _ahead;
    private Value? _previous;
    private Value? _current;
    private Value? _lastChanged;
    private int? _length;
    private int _index = -1;

    public override string TypeName => "LoopContext";

    public override string Description => "jinja2.runtime.LoopContext object";

    public override int? Length => Count();

    public override bool IsCallable => true;

    /// <summary>Goes to the next element; null after the last.</summary>
    public Value? Next()
    {
        var next = _ahead is { Count: > 0 } ? _ahead.Dequeue() : Fetch();
        if (next is null)
            return null;
        _index++;
        _previous = _current;
        return _current = next;
    }

    public override void WriteRepr(TextSink sink) => sink.Append($"<LoopContext {_index + 1}/{Count()}>");

    public override IEnumerator<Value>? Iterate() => null;

    public override Value? Attribute(Rendering rendering, string name) => name switch
    {
        "index" => IntegerValue.Of(_index + 1),
        "index0" => IntegerValue.Of(_index),
        "first" => BooleanValue.Of(_index == 0),
        "last" => BooleanValue.Of(Peek() is null),
        "length" => IntegerValue.Of(Count()),
        "revindex" => IntegerValue.Of(Count() - _index),
        "revindex0" => IntegerValue.Of(Count() - _index - 1),
        "previtem" => _previous ?? new UndefinedValue(name, "there is no previous item"),
        "nextitem" => Peek() ?? new UndefinedValue(name, "there is no next item"),
        "depth" => IntegerValue.Of(depth + 1),
        "depth0" => IntegerValue.Of(depth),
        "cycle" => new FunctionValue(new Builtin(name, Cycle)),
        "changed" => new FunctionValue(new Builtin(name, Changed)),
        _ => null,
    };

    public override Value Call(Rendering rendering, Arguments arguments)
    {
        if (recurse is null)
            throw Errors.Type("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(arguments.Bind("loop", ["iterable"], 1)[0]!, depth + 1);
    }

    private Value? Fetch() => rendering.Advance(items) ? items.Current : null;

    private Value? Peek()
    {
        _ahead ??= new();
        if (_ahead.Count == 0 && Fetch() is { } next)
            _ahead.Enqueue(next);
        return _ahead.TryPeek(out var ahead) ? ahead : null;
    }

    private int Count()
    {
        if (_length is { } known)
            return known;
        if (iterable.Length is { } length && iterable is not LoopValue)
            return (_length = length).Value;
        _ahead ??= new();
        while (Fetch() is { } next)
        {
            rendering.Budget.Take(16);
            _ahead.Enqueue(next);
        }
        return (_length = _index + 1 + _ahead.Count).Value;
    }

    private Value Cycle(Rendering rendering, Arguments arguments) => arguments.Positional.Length == 0
        ? throw Errors.Type("no items for cycling given")
        : arguments.Positional[_index % arguments.Positional.Length];

    private BooleanValue Changed(Rendering rendering, Arguments arguments)
    {
        var value = new TupleValue(arguments.Positional);
        var changed = _lastChanged is null || !Comparison.AreEqual(rendering, _lastChanged, value);
        _lastChanged = value;
        return BooleanValue.Of(changed);
    }
}
