namespace OpenHearth.Engine.Graph;

/// <summary>
/// A graph made executable: nodes in order, those that run faster together fused, each value with a place in memory
/// that it shares with values of other times.
/// </summary>
internal sealed class Plan
{
    private readonly Instruction[] _body;
    private readonly Instruction[] _head;

    private Plan(ModelGraph graph, Instruction[] body, Instruction[] head, BufferPlacement placement)
    {
        Graph = graph;
        _body = body;
        _head = head;
        Placement = placement;
    }

    /// <summary>What is planned.</summary>
    public ModelGraph Graph { get; }

    /// <summary>Where each node's value lies.</summary>
    public BufferPlacement Placement { get; }

    /// <summary>All instructions in order.</summary>
    public IEnumerable<Instruction> Instructions => _body.Concat(_head);

    /// <summary>Plans a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="fuse">False to run every node by itself, which is what fused plans are tested against.</param>
    public static Plan Of(ModelGraph graph, bool fuse = true)
    {
        var needed = Needed(graph);
        var instructions = graph.Nodes.Where(node => needed[node.Id]).Select(Instruction (node) => new ForwardInstruction(node)).ToList();
        if (fuse)
        {
            foreach (var fusion in Fusion.All)
                instructions = fusion.Apply(instructions, graph.Output);
        }
        // Results asked for are computed in parts, after all tokens are done.
        Instruction[] body = [.. instructions.Where(i => i.Writes[0].Rows == RowAxis.Tokens)];
        Instruction[] head = [.. instructions.Where(i => i.Writes[0].Rows == RowAxis.Outputs)];
        return new Plan(graph, body, head, BufferPlacement.Of(graph, [.. body, .. head], body.Length));
    }

    /// <summary>Runs what all tokens of the step need.</summary>
    public void RunBody(StepContext step) => Run(_body, step);

    /// <summary>Runs what the selected outputs of the step need; afterwards the output node holds their results.</summary>
    public void RunHead(StepContext step) => Run(_head, step);

    private static void Run(Instruction[] instructions, StepContext step)
    {
        foreach (var instruction in instructions)
        {
            if (step.Profile is { } profile)
                profile.Execute(instruction, step);
            else
                instruction.Execute(step);
        }
    }

    private static bool[] Needed(ModelGraph graph)
    {
        var needed = new bool[graph.Nodes.Count];
        needed[graph.Output.Id] = true;
        for (var i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            if (!needed[i])
                continue;
            foreach (var input in graph.Nodes[i].Inputs)
                needed[input.Id] = true;
        }
        return needed;
    }
}
