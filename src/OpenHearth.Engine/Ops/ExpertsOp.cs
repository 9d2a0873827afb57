using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// y = Σ weight · down(f(gate(x)) · up(x)) over the experts that the router chose for a token. Tokens are grouped by
/// expert, so that each expert's matrices are read once a step, and only if some token uses them.
/// </summary>
internal sealed class ExpertsOp(Node x, Node routing, Weight[] gate, Weight[] up, Weight[] down, ActivationKind kind) : Node(x.Width, x.Rows, x, routing)
{
    private readonly int _hidden = up[0].Matrix.Rows;

    /// <summary>[hidden, width] of each expert</summary>
    public Weight[] Gate => gate;

    /// <summary>[hidden, width] of each expert</summary>
    public Weight[] Up => up;

    /// <summary>[width, hidden] of each expert</summary>
    public Weight[] Down => down;

    // gathered rows, gate, up, result: one expert at a time, at most all tokens
    public override int ScratchWidth => (2 * Width) + (2 * _hidden);

    public override void Forward(StepContext step)
    {
        var rows = step.Rows(this);
        var routing = step.Values(Inputs[1]);
        var y = step.Values(this);
        y.Clear();
        for (var expert = 0; expert < up.Length; expert++)
        {
            var count = Gather(expert, step.Values(Inputs[0]), routing, rows, step.Scratch(this));
            if (count == 0)
                continue;
            var result = Run(step, expert, count);
            Scatter(expert, result, routing, rows, y);
        }
    }

    private int Gather(int expert, ReadOnlySpan<float> x, ReadOnlySpan<float> routing, int rows, Span<float> gathered)
    {
        var count = 0;
        for (var t = 0; t < rows; t++)
        {
            if (Place(expert, routing, t) >= 0)
                x.Slice(t * Width, Width).CopyTo(gathered[(count++ * Width)..]);
        }
        return count;
    }

    private Span<float> Run(StepContext step, int expert, int count)
    {
        var scratch = step.Scratch(this);
        var x = scratch[..(count * Width)];
        var hidden = scratch.Slice(x.Length, count * _hidden);
        var other = scratch.Slice(x.Length + hidden.Length, hidden.Length);
        var result = scratch.Slice(x.Length + (2 * hidden.Length), count * Width);
        Product.Multiply(step.Pool, gate[expert].Matrix, up[expert].Matrix, x, hidden, other, count, step.Precision);
        Activation.Gate(step.Pool, kind, hidden, other, hidden, count, _hidden);
        Product.Multiply(step.Pool, down[expert].Matrix, hidden, result, count, step.Precision);
        return result;
    }

    private void Scatter(int expert, ReadOnlySpan<float> result, ReadOnlySpan<float> routing, int rows, Span<float> y)
    {
        var count = 0;
        for (var t = 0; t < rows; t++)
        {
            var place = Place(expert, routing, t);
            if (place < 0)
                continue;
            var weight = routing[(t * Inputs[1].Width) + (Inputs[1].Width / 2) + place];
            var from = result.Slice(count++ * Width, Width);
            var to = y.Slice(t * Width, Width);
            for (var i = 0; i < to.Length; i++)
                to[i] += weight * from[i];
        }
    }

    private int Place(int expert, ReadOnlySpan<float> routing, int row) =>
        routing.Slice(row * Inputs[1].Width, Inputs[1].Width / 2).IndexOf(expert);
}

internal static partial class GraphOps
{
    /// <summary>The feed-forward block of a mixture of experts.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="routing">From <see cref="Router"/>.</param>
    /// <param name="block">Canonical name of the layer; the tensors are its ffn_gate_exps, ffn_up_exps and ffn_down_exps</param>
    /// <param name="experts">How many there are.</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="kind">f</param>
    public static Node Experts(this GraphBuilder graph, Node x, Node routing, string block, int experts, int hidden, ActivationKind kind = ActivationKind.Silu) =>
        graph.Add(new ExpertsOp(
            x, routing,
            graph.Weights.Experts($"{block}.ffn_gate_exps.weight", experts, hidden, x.Width),
            graph.Weights.Experts($"{block}.ffn_up_exps.weight", experts, hidden, x.Width),
            graph.Weights.Experts($"{block}.ffn_down_exps.weight", experts, x.Width, hidden),
            kind));
}
