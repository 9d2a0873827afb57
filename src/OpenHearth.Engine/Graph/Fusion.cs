using OpenHearth.Engine.Ops;

namespace OpenHearth.Engine.Graph;

/// <summary>A rewrite of a plan that puts nodes together which run faster so; results stay the same.</summary>
internal abstract class Fusion
{
    /// <summary>All fusions, in the order in which they are applied.</summary>
    public static IReadOnlyList<Fusion> All { get; } = [new SharedInputFusion(), new ResidualNormFusion()];

    /// <summary>Rewrites a list of instructions.</summary>
    /// <param name="instructions">Readers after writers.</param>
    /// <param name="output">The node whose value is the result.</param>
    public abstract List<Instruction> Apply(List<Instruction> instructions, Node output);
}
