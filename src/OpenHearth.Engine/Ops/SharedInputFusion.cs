using OpenHearth.Engine.Graph;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// Products that read the same activations (queries, keys and values; gate and up) become one instruction, so that the
/// activations are prepared once and the threads meet once.
/// </summary>
internal sealed class SharedInputFusion : Fusion
{
    public override List<Instruction> Apply(List<Instruction> instructions, Node output)
    {
        var groups = instructions.OfType<ForwardInstruction>().Select(i => i.Node).OfType<LinearOp>()
            .GroupBy(node => node.Inputs[0]).Where(group => group.Count() > 1).ToDictionary(group => group.Key, group => group.ToArray());
        var result = new List<Instruction>(instructions.Count);
        foreach (var instruction in instructions)
        {
            if (instruction is not ForwardInstruction { Node: LinearOp linear } || !groups.TryGetValue(linear.Inputs[0], out var group))
                result.Add(instruction);
            else if (linear == group[0])
                result.Add(new SharedInput(group));
        }
        return result;
    }

    private sealed class SharedInput(LinearOp[] nodes) : Instruction([nodes[0].Inputs[0]], nodes)
    {
        public override bool MayOverwrite(Node written, Node read) => false;

        public override void Execute(StepContext step)
        {
            foreach (var node in nodes)
                node.Forward(step);
        }
    }
}
