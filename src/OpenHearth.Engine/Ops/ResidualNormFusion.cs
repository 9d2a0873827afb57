using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>A residual sum and the norm that reads it: one pass over memory instead of two.</summary>
internal sealed class ResidualNormFusion : Fusion
{
    public override List<Instruction> Apply(List<Instruction> instructions, Node output)
    {
        var result = new List<Instruction>(instructions.Count);
        foreach (var instruction in instructions)
        {
            if (instruction is ForwardInstruction { Node: RmsNormOp norm } && norm.Group == norm.Width
                && norm.Inputs[0] is AddOp sum && sum != output && result is [.., ForwardInstruction { Node: AddOp last }] && last == sum)
                result[^1] = new ResidualNorm(sum, norm);
            else
                result.Add(instruction);
        }
        return result;
    }

    private sealed class ResidualNorm(AddOp sum, RmsNormOp norm) : Instruction(sum.Inputs, [sum, norm])
    {
        public override bool MayOverwrite(Node written, Node read) => written == sum;

        public override void Execute(StepContext step) =>
            RmsNorm.AddForward(step.Pool, step.Values(sum.Inputs[0]), step.Values(sum.Inputs[1]), norm.Weight, norm.Epsilon, step.Values(sum), step.Values(norm), step.Rows(sum), sum.Width);
    }
}
