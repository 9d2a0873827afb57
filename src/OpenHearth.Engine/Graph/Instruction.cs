namespace OpenHearth.Engine.Graph;

/// <summary>One entry of a plan: what is read, what is written, and how.</summary>
internal abstract class Instruction(Node[] reads, Node[] writes)
{
    /// <summary>Values that must still be there.</summary>
    public Node[] Reads { get; } = reads;

    /// <summary>Values that are there afterwards.</summary>
    public Node[] Writes { get; } = writes;

    /// <summary>True where <paramref name="written"/> may take the buffer of <paramref name="read"/>.</summary>
    public abstract bool MayOverwrite(Node written, Node read);

    /// <summary>Does it.</summary>
    public abstract void Execute(StepContext step);
}

/// <summary>One node by its own forward.</summary>
internal sealed class ForwardInstruction(Node node) : Instruction(node.Inputs, [node])
{
    /// <summary>The node.</summary>
    public Node Node => node;

    public override bool MayOverwrite(Node written, Node read) => node.MayOverwrite(read);

    public override void Execute(StepContext step) => node.Forward(step);
}
