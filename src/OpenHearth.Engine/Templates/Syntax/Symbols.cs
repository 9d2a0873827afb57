using OpenHearth.Engine.Templates.Running;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Syntax;

/// <summary>
/// The names that a block with its own variables reads and sets, in the order in which Jinja's compiler sees them. They
/// tell which names the block hides: one that it sets before it reads it, and that no outer block mentions, is undefined
/// until it is set, even for inner blocks and even where a variable of that name was passed in.
/// </summary>
internal sealed class Symbols(Symbols? outer)
{
    private readonly Dictionary<string, bool> _isSetFirst = [];
    private readonly HashSet<string> _readWithin = [];
    private UndefinedValue[]? _hidden;

    /// <summary>The names that are hidden; only asked for once the whole template is parsed.</summary>
    public UndefinedValue[] Hidden => _hidden ??= FindHidden();

    public void Read(string name)
    {
        _isSetFirst.TryAdd(name, false);
        for (var symbols = outer; symbols is not null && symbols._readWithin.Add(name); symbols = symbols.Outer)
        {
        }
    }

    /// <summary>Notes that a name is set; under a condition it isn't hidden.</summary>
    public void Set(string name, bool isConditional) => _isSetFirst.TryAdd(name, !isConditional);

    /// <summary>Notes a name that has a value from the start, such as a parameter.</summary>
    public void Declare(string name) => _isSetFirst.TryAdd(name, false);

    private Symbols? Outer => outer;

    private UndefinedValue[] FindHidden()
    {
        var hidden = new List<UndefinedValue>();
        foreach (var (name, isSetFirst) in _isSetFirst)
        {
            if (isSetFirst && _readWithin.Contains(name) && !IsMentionedOutside(name))
                hidden.Add(new UndefinedValue(name));
        }
        return [.. hidden];
    }

    private bool IsMentionedOutside(string name)
    {
        for (var symbols = outer; symbols is not null; symbols = symbols.Outer)
        {
            if (symbols._isSetFirst.ContainsKey(name))
                return true;
        }
        return false;
    }
}

/// <summary>The statements of a block with its own variables.</summary>
internal sealed class ScopedBody(Statement[] statements, Symbols symbols)
{
    /// <summary>Runs the statements; the frame's scope is the block's own and still empty but for what is declared.</summary>
    public Flow Run(Frame frame)
    {
        foreach (var name in symbols.Hidden)
            frame.Scope.Set(name.Name, name);
        return Statement.Run(statements, frame);
    }
}
