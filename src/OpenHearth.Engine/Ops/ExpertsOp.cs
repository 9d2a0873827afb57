using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Profiling;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

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

    /// <summary>[experts · hidden], or empty for none</summary>
    public float[] GateBias { get; init; } = [];

    /// <summary>[experts · hidden], or empty for none</summary>
    public float[] UpBias { get; init; } = [];

    /// <summary>[experts · width], or empty for none</summary>
    public float[] DownBias { get; init; } = [];

    /// <summary>True where the weight multiplies what an expert reads, not what it gives.</summary>
    public bool WeighsInput { get; init; }

    // gathered rows, gate, up, result: one expert at a time, at most all tokens
    public override int ScratchWidth => (2 * Width) + (2 * _hidden);

    public override IEnumerable<Weight> Matrices => [.. gate, .. up, .. down];

    // Only experts that some token uses are read.
    public override Work Work(StepContext step)
    {
        var work = default(Work);
        for (var expert = 0; expert < up.Length; expert++)
        {
            var count = 0;
            for (var t = 0; t < step.Rows(this); t++)
                count += Place(expert, step.Values(Inputs[1]), t) >= 0 ? 1 : 0;
            work += gate[expert].Product(count) + up[expert].Product(count) + down[expert].Product(count);
        }
        return work;
    }

    public override void Forward(StepContext step)
    {
        var rows = step.Rows(this);
        var routing = step.Values(Inputs[1]);
        var y = step.Values(this);
        y.Clear();
        for (var expert = 0; expert < up.Length; expert++)
        {
            var count = Gather(step.Pool, expert, step.Values(Inputs[0]), routing, rows, step.Scratch(this));
            if (count == 0)
                continue;
            var result = Run(step, expert, count);
            Scatter(expert, result, routing, rows, y);
        }
    }

    private int Gather(ComputePool pool, int expert, ReadOnlySpan<float> x, ReadOnlySpan<float> routing, int rows, Span<float> gathered)
    {
        var count = 0;
        for (var t = 0; t < rows; t++)
        {
            var place = Place(expert, routing, t);
            if (place < 0)
                continue;
            var row = gathered.Slice(count++ * Width, Width);
            x.Slice(t * Width, Width).CopyTo(row);
            if (WeighsInput)
                Arithmetic.Scale(pool, row, Share(routing, t, place), row, 1, Width);
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
        AddBias(step, GateBias, expert, hidden, count, _hidden);
        AddBias(step, UpBias, expert, other, count, _hidden);
        Activation.Gate(step.Pool, kind, hidden, other, hidden, count, _hidden);
        Product.Multiply(step.Pool, down[expert].Matrix, hidden, result, count, step.Precision);
        AddBias(step, DownBias, expert, result, count, Width);
        return result;
    }

    private static void AddBias(StepContext step, float[] bias, int expert, Span<float> y, int rows, int width)
    {
        if (bias.Length > 0)
            Arithmetic.Add(step.Pool, y, bias.AsSpan(expert * width, width), y, rows, width);
    }

    private void Scatter(int expert, ReadOnlySpan<float> result, ReadOnlySpan<float> routing, int rows, Span<float> y)
    {
        var count = 0;
        for (var t = 0; t < rows; t++)
        {
            var place = Place(expert, routing, t);
            if (place < 0)
                continue;
            var weight = WeighsInput ? 1f : Share(routing, t, place);
            var from = result.Slice(count++ * Width, Width);
            var to = y.Slice(t * Width, Width);
            for (var i = 0; i < to.Length; i++)
                to[i] += weight * from[i];
        }
    }

    private float Share(ReadOnlySpan<float> routing, int row, int place) => routing[(row * Inputs[1].Width) + (Inputs[1].Width / 2) + place];

    private int Place(int expert, ReadOnlySpan<float> routing, int row) =>
        routing.Slice(row * Inputs[1].Width, Inputs[1].Width / 2).IndexOf(expert);
}

internal static partial class GraphOps
{
    /// <summary>The feed-forward block of a mixture of experts.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="routing">From <see cref="Router"/>.</param>
    /// <param name="block">
    /// Canonical name of the layer; the tensors are its ffn_gate_exps and ffn_up_exps, or ffn_gate_up_exps with the rows of both
    /// for each expert, and ffn_down_exps. Biases are added where the model has them.
    /// </param>
    /// <param name="experts">How many there are.</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="kind">f</param>
    /// <param name="weighInput">True where the router's weight multiplies what an expert reads, not what it gives.</param>
    public static Node Experts(
        this GraphBuilder graph, Node x, Node routing, string block, int experts, int hidden, ActivationKind kind = ActivationKind.Silu, bool weighInput = false)
    {
        var weights = graph.Weights;
        var fused = $"{block}.ffn_gate_up_exps.weight";
        Weight[] Half(string name, int first) => weights.Has(fused)
            ? weights.Stack(fused, experts, hidden, x.Width, first, 2 * hidden)
            : weights.Experts($"{block}.{name}.weight", experts, hidden, x.Width);
        float[] Bias(string name, int width) => weights.Has($"{block}.{name}.bias") ? weights.Vector($"{block}.{name}.bias", checked(experts * width)) : [];
        return graph.Add(new ExpertsOp(
            x, routing, Half("ffn_gate_exps", 0), Half("ffn_up_exps", hidden),
            weights.Experts($"{block}.ffn_down_exps.weight", experts, x.Width, hidden), kind)
        {
            GateBias = Bias("ffn_gate_exps", hidden),
            UpBias = Bias("ffn_up_exps", hidden),
            DownBias = Bias("ffn_down_exps", x.Width),
            WeighsInput = weighInput,
        });
    }
}
