using OpenHearth.Engine.Files;
using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>Rotates [offset, offset + dimensions) of every head by the angles of the token's position.</summary>
internal sealed class RopeOp(Node x, Node angles, int headWidth, int offset, RotaryPairing pairing) : Node(x.Width, RowAxis.Tokens, x, angles)
{
    /// <summary>Values a head.</summary>
    public int HeadWidth => headWidth;

    /// <summary>First value of a head that is rotated.</summary>
    public int Offset => offset;

    /// <summary>Which values are rotated together.</summary>
    public RotaryPairing Pairing => pairing;

    public override bool MayOverwrite(Node input) => input == Inputs[0];

    public override void Forward(StepContext step) =>
        Rotary.Forward(step.Pool, step.Values(Inputs[0]), step.Values(Inputs[1]), step.Values(this), step.TokenCount, Width / headWidth, headWidth, offset, Inputs[1].Width, pairing);
}

internal static partial class GraphOps
{
    /// <summary>Rotary position embedding of queries or keys.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[tokens, heads · headWidth]</param>
    /// <param name="angles">From <see cref="RopeAngles"/>; its width is how many values of a head turn</param>
    /// <param name="headWidth">Values a head.</param>
    /// <param name="pairing">Which values are rotated together.</param>
    /// <param name="offset">First value of a head that turns.</param>
    public static Node Rope(this GraphBuilder graph, Node x, Node angles, int headWidth, RotaryPairing pairing, int offset = 0) =>
        offset + angles.Width <= headWidth
            ? graph.Add(new RopeOp(x, angles, headWidth, offset, pairing))
            : throw new ModelFormatException($"{graph.Weights.Path}: {angles.Width} values from {offset} on of a head of {headWidth} can't be rotated");
}
