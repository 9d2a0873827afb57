using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = cap · tanh(x / cap).</summary>
internal sealed class SoftCapOp(Node x, float cap) : Node(x.Width, x.Rows, x)
{
    /// <summary>The bound that results approach.</summary>
    public float Cap => cap;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        Arithmetic.SoftCap(step.Pool, step.Values(Inputs[0]), cap, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>cap · tanh(x / cap), or x itself where the cap is 0.</summary>
    public static Node SoftCap(this GraphBuilder graph, Node x, float cap) => cap == 0 ? x : graph.Add(new SoftCapOp(x, cap));
}
