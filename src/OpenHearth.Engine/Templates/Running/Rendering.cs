using OpenHearth.Engine.Templates.Globals;
using OpenHearth.Engine.Templates.Syntax;
using OpenHearth.Engine.Templates.Values;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>One run of a template over one set of variables. Used by one thread, once.</summary>
internal sealed class Rendering
{
    private readonly Dictionary<string, Value> _variables;
    private readonly Template _template;
    private readonly TextSink _root;
    private readonly List<(int Start, int End)> _generationSpans = [];

    public Rendering(Dictionary<string, Value> variables, Budget budget, TimeProvider clock, Template template)
    {
        _variables = variables;
        _template = template;
        Budget = budget;
        Clock = clock;
        _root = new TextSink(budget);
        RootFrame = new Frame(this, new Scope(null), _root);
    }

    public Budget Budget { get; }

    public TimeProvider Clock { get; }

    public Frame RootFrame { get; }

    public Template Template => _template;

    /// <summary>The line that runs, for the error message.</summary>
    public int Line { get; set; } = 1;

    /// <summary>True inside <c>{% autoescape true %}</c>.</summary>
    public bool Autoescape { get; set; }

    public RenderedTemplate Run()
    {
        _template.Body.Run(RootFrame);
        return new(_root.Take(), _generationSpans);
    }

    /// <summary>The value of a name that no block has set.</summary>
    public Value Resolve(string name) =>
        _variables.GetValueOrDefault(name) ?? GlobalTable.Find(this, name) ?? new UndefinedValue(name);

    /// <summary>Marks the text that is about to be written to the root as the assistant's.</summary>
    public void MarkGeneration(int length) => _generationSpans.Add((_root.Length, _root.Length + length));

    /// <summary>What Python's <c>str</c> gives.</summary>
    public string Text(Value value)
    {
        if (value is StringValue text)
            return text.Text;
        var sink = new TextSink(Budget);
        value.WriteText(sink);
        return sink.Take();
    }

    /// <summary>What Python's <c>repr</c> gives.</summary>
    public string Repr(Value value)
    {
        var sink = new TextSink(Budget);
        value.WriteRepr(sink);
        return sink.Take();
    }

    /// <summary>A text that was just made, charged to the budget.</summary>
    public StringValue Made(string text, bool markup = false)
    {
        Budget.TakeText(text.Length);
        return StringValue.Of(text, markup);
    }

    /// <summary>A list that was just made, charged to the budget.</summary>
    public ListValue Made(List<Value> items)
    {
        Budget.TakeItems(items.Count);
        return new ListValue(items.ToArray());
    }

    /// <summary>What <c>for</c> walks over.</summary>
    public static IEnumerator<Value> Iterate(Value value) =>
        value.Iterate() ?? throw Errors.Type($"'{value.TypeName}' object is not iterable");

    /// <summary>
    /// Goes to the next element, as a step and a level of nesting: an element may come from an iterator over an iterator,
    /// and so on.
    /// </summary>
    public bool Advance(IEnumerator<Value> elements)
    {
        Budget.Step();
        Budget.Enter();
        var found = elements.MoveNext();
        Budget.Leave();
        return found;
    }

    /// <summary>All elements of something iterable, counted as steps and bytes.</summary>
    public List<Value> ToList(Value value)
    {
        var items = new List<Value>();
        var elements = Iterate(value);
        while (Advance(elements))
        {
            Budget.Take(16);
            items.Add(elements.Current);
        }
        return items;
    }
}
