using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.MatMul;

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
            for (var i = 0; i < nodes.Length; i += 3)
                Multiply(step, nodes.AsSpan(i, Math.Min(3, nodes.Length - i)));
            foreach (var node in nodes)
                node.Finish(step);
        }

        private static void Multiply(StepContext step, ReadOnlySpan<LinearOp> nodes)
        {
            var x = step.Values(nodes[0].Inputs[0]);
            var rows = step.Rows(nodes[0]);
            var a = nodes[0].Weight.Matrix;
            if (nodes.Length == 1)
                Product.Multiply(step.Pool, a, x, step.Values(nodes[0]), rows, step.Precision);
            else if (nodes.Length == 2)
                Product.Multiply(step.Pool, a, nodes[1].Weight.Matrix, x, step.Values(nodes[0]), step.Values(nodes[1]), rows, step.Precision);
            else
                Product.Multiply(step.Pool, a, nodes[1].Weight.Matrix, nodes[2].Weight.Matrix, x, step.Values(nodes[0]), step.Values(nodes[1]), step.Values(nodes[2]), rows, step.Precision);
        }
    }
}
