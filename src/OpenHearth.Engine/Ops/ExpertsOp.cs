using System.Runtime.InteropServices;
using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Profiling;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Ops;

/// <summary>
/// y = Σ weight · down(f(gate(x)) · up(x)), or down(f(up(x))) without gates, over the experts that the router chose for a token. Tokens are grouped by
/// expert, so that each expert's matrices are read once a step, and only if some token uses them; gate and up of all experts
/// are one job of the threads, their downs another.
/// </summary>
internal sealed class ExpertsOp(Node x, Node routing, Weight[] gate, Weight[] up, Weight[] down, ActivationKind kind) : Node(x.Width, x.Rows, x, routing)
{
    private readonly int _hidden = up[0].Matrix.Rows;
    private readonly int[] _ends = new int[up.Length]; // of each expert's choices, once grouped
    private readonly ProductList _products = new(2 * up.Length);

    /// <summary>[hidden, width] of each expert; empty for none</summary>
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

    private int Used => Inputs[1].Width / 2;

    private bool IsGated => gate.Length > 0;

    private int Products => IsGated ? 2 : 1; // of a token with one expert, before the last

    // Of every choice of a token: its token and its place as numbers, gate, up, result.
    public override int ScratchWidth => checked(Used * (2 + (Products * _hidden) + Width));

    public override IEnumerable<Weight> Matrices => [.. gate, .. up, .. down];

    // Only experts that some token uses are read.
    public override Work Work(StepContext step)
    {
        var work = default(Work);
        var counts = new int[up.Length];
        for (var i = 0; i < step.Rows(this) * Used; i++)
            counts[Expert(step.Values(Inputs[1]), i)]++;
        for (var expert = 0; expert < up.Length; expert++)
        {
            work += up[expert].Product(counts[expert]) + down[expert].Product(counts[expert]);
            if (IsGated)
                work += gate[expert].Product(counts[expert]);
        }
        return work;
    }

    public override void Forward(StepContext step)
    {
        var rows = step.Rows(this);
        var choices = rows * Used;
        var routing = step.Values(Inputs[1])[..(rows * Inputs[1].Width)];
        var scratch = step.Scratch(this);
        var tokens = MemoryMarshal.Cast<float, int>(scratch[..choices]);
        var places = MemoryMarshal.Cast<float, int>(scratch.Slice(choices, choices));
        var hidden = scratch.Slice(2 * choices, Products * choices * _hidden);
        var results = scratch.Slice((2 * choices) + hidden.Length, choices * Width);
        Group(routing, tokens, places);

        if (WeighsInput)
            Weigh(step, routing, places, results); // whose memory is free until the last product
        var x = WeighsInput ? results : step.Values(Inputs[0]);
        Multiply(step, IsGated ? gate : up, IsGated ? up : null, IsGated ? GateBias : UpBias, UpBias, x, WeighsInput ? [] : tokens, hidden, choices);
        var half = hidden[..(choices * _hidden)];
        Activation.Gate(step.Pool, kind, half, hidden[half.Length..], half, choices, _hidden);
        Multiply(step, down, null, DownBias, [], half, [], results, choices);
        WeightedSums.Forward(step.Pool, results, places, WeighsInput ? [] : routing[Used..], Inputs[1].Width, step.Values(this), rows, Used, Width);
    }

    // Counts, then puts each choice where its expert's begin; within an expert they stay in the order of tokens.
    private void Group(ReadOnlySpan<float> routing, Span<int> tokens, Span<int> places)
    {
        Array.Clear(_ends);
        for (var i = 0; i < places.Length; i++)
            _ends[Expert(routing, i)]++;
        var end = 0;
        foreach (ref var count in _ends.AsSpan())
            count = (end += count) - count;
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = _ends[Expert(routing, i)]++;
            tokens[places[i]] = i / Used;
        }
    }

    private int Expert(ReadOnlySpan<float> routing, int choice) => (int)routing[(choice / Used * Inputs[1].Width) + (choice % Used)];

    private void Weigh(StepContext step, ReadOnlySpan<float> routing, ReadOnlySpan<int> places, Span<float> weighed)
    {
        var x = step.Values(Inputs[0]);
        for (var i = 0; i < places.Length; i++)
            Arithmetic.Scale(step.Pool, x.Slice(i / Used * Width, Width), routing[(i / Used * Inputs[1].Width) + Used + (i % Used)], weighed.Slice(places[i] * Width, Width), 1, Width);
    }

    // One or two products of each expert that some token uses; the results of the second lie behind all of the first.
    private void Multiply(
        StepContext step, Weight[] first, Weight[]? second, float[] firstBias, float[] secondBias, ReadOnlySpan<float> x, ReadOnlySpan<int> xRows, Span<float> y, int choices)
    {
        var (columns, width) = (first[0].Matrix.Columns, first[0].Matrix.Rows);
        _products.Clear();
        for (var (expert, begin) = (0, 0); expert < first.Length; begin = _ends[expert++])
        {
            var count = _ends[expert] - begin;
            if (count == 0)
                continue;
            _products.Add(first[expert].Matrix, begin, count, bias: firstBias, firstBias: expert * width);
            if (second is not null)
                _products.Add(second[expert].Matrix, begin, count, y: choices * width, bias: secondBias, firstBias: expert * width);
        }
        _products.Multiply(step.Pool, x, columns, xRows, y, width, step.Precision);
    }
}

internal static partial class GraphOps
{
    /// <summary>The feed-forward block of a mixture of experts.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">[rows, width]</param>
    /// <param name="routing">From <see cref="Router"/>.</param>
    /// <param name="block">
    /// Canonical name of the layer; the tensors are its ffn_gate_exps, unless there are no gates, and ffn_up_exps, or ffn_gate_up_exps with the rows of both
    /// for each expert, and ffn_down_exps. Biases are added where the model has them.
    /// </param>
    /// <param name="experts">How many there are.</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="kind">f</param>
    /// <param name="weighInput">True where the router's weight multiplies what an expert reads, not what it gives.</param>
    /// <param name="gated">False for experts without gates.</param>
    public static Node Experts(
        this GraphBuilder graph, Node x, Node routing, string block, int experts, int hidden, ActivationKind kind = ActivationKind.Silu, bool weighInput = false, bool gated = true)
    {
        var weights = graph.Weights;
        var fused = $"{block}.ffn_gate_up_exps.weight";
        Weight[] Half(string name, int first) => weights.Has(fused)
            ? weights.Stack(fused, experts, hidden, x.Width, first, 2 * hidden)
            : weights.Experts($"{block}.{name}.weight", experts, hidden, x.Width);
        float[] Bias(string name, int width) => weights.Has($"{block}.{name}.bias") ? weights.Vector($"{block}.{name}.bias", checked(experts * width)) : [];
        return graph.Add(new ExpertsOp(
            x, routing, gated ? Half("ffn_gate_exps", 0) : [], Half("ffn_up_exps", hidden),
            weights.Experts($"{block}.ffn_down_exps.weight", experts, x.Width, hidden), kind)
        {
            GateBias = Bias("ffn_gate_exps", hidden),
            UpBias = Bias("ffn_up_exps", hidden),
            DownBias = Bias("ffn_down_exps", x.Width),
            WeighsInput = weighInput,
        });
    }
}
