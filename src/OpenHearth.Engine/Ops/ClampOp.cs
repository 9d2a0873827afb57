using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = x, but at least -limit and at most limit.</summary>
internal sealed class ClampOp(Node x, float limit) : Node(x.Width, x.Rows, x)
{
    /// <summary>The largest magnitude.</summary>
    public float Limit => limit;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        Arithmetic.Clamp(step.Pool, step.Values(Inputs[0]), limit, step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>x with magnitudes of at most <paramref name="limit"/>; 0 for no limit.</summary>
    public static Node Clamp(this GraphBuilder graph, Node x, float limit) => limit == 0 ? x : graph.Add(new ClampOp(x, limit));
}
