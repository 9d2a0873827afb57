using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Ops;

/// <summary>y = f(gate) · up: SwiGLU with SiLU, GeGLU with GELU.</summary>
internal sealed class GateOp(Node gate, Node up, ActivationKind kind) : Node(gate.Width, gate.Rows, gate, up)
{
    /// <summary>f</summary>
    public ActivationKind Kind => kind;

    public override bool MayOverwrite(Node input) => true;

    public override void Forward(StepContext step) =>
        Activation.Gate(step.Pool, kind, step.Values(Inputs[0]), step.Values(Inputs[1]), step.Values(this), step.Rows(this), Width);
}

internal static partial class GraphOps
{
    /// <summary>f(gate) · up.</summary>
    public static Node Gate(this GraphBuilder graph, Node gate, Node up, ActivationKind kind) =>
        gate.Width == up.Width ? graph.Add(new GateOp(gate, up, kind)) : throw new ArgumentException($"A gate of width {gate.Width} for {up.Width} values.");

    /// <summary>The feed-forward block of Llama and most others: down(f(gate(x)) · up(x)).</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="block">
    /// Canonical name of the layer, such as <c>blk.0</c>; the matrices are its ffn_gate, ffn_up and ffn_down. Without an
    /// ffn_gate, ffn_up holds both, the gate first.
    /// </param>
    /// <param name="hidden">Width between.</param>
    /// <param name="kind">f</param>
    /// <param name="ending">Ends the names of the matrices: <c>_shexp</c> for the expert that all tokens share.</param>
    public static Node GatedFeedForward(this GraphBuilder graph, Node x, string block, int hidden, ActivationKind kind = ActivationKind.Silu, string ending = "")
    {
        var apart = graph.Weights.Has($"{block}.ffn_gate{ending}.weight");
        var gate = apart ? graph.Linear(x, $"{block}.ffn_gate{ending}", hidden) : graph.Linear(x, $"{block}.ffn_up{ending}", hidden, 0, 2 * hidden);
        var up = apart ? graph.Linear(x, $"{block}.ffn_up{ending}", hidden) : graph.Linear(x, $"{block}.ffn_up{ending}", hidden, hidden, 2 * hidden);
        return graph.Linear(graph.Gate(gate, up, kind), $"{block}.ffn_down{ending}", x.Width);
    }
}
