using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>Activations of 8 bits with one scale a token, see <see cref="ByteRounding"/>.</summary>
internal sealed class ByteRoundingOp(Node x) : Node(x.Width, x.Rows, x)
{
    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) => ByteRounding.Forward(step.Pool, step.Values(Inputs[0]), step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>A value rounded to 8 bits a token, for products that were trained so.</summary>
    public static Node RoundToBytes(this GraphBuilder graph, Node x) => graph.Add(new ByteRoundingOp(x));
}
