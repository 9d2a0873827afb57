namespace OpenHearth.Engine.Templates.Running;

/// <summary>Where a statement runs: the rendering it belongs to, the variables it sees and where its text goes.</summary>
internal sealed class Frame(Rendering rendering, Scope scope, TextSink output)
{
    public Rendering Rendering => rendering;

    public Budget Budget => rendering.Budget;

    public Scope Scope { get; set; } = scope;

    public TextSink Output => output;

    /// <summary>A frame for a block with its own variables that writes to the same place.</summary>
    public Frame Inner() => new(rendering, new Scope(Scope), output);

    /// <summary>A frame for a block with its own variables and its own text.</summary>
    public Frame Buffered() => new(rendering, new Scope(Scope), new TextSink(rendering.Budget));
}
