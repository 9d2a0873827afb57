using System.Diagnostics;
using OpenHearth.Engine.Graph;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Profiling;

/// <summary>
/// Where the time of steps goes: give one to <see cref="Model.Step(Batch, StepProfile)"/> for each of several steps of the same
/// size. A batch that is cut into several steps counts as so many. Not thread-safe.
/// </summary>
public sealed class StepProfile
{
    private readonly Dictionary<Instruction, Group> _groupOf = [];
    private readonly Dictionary<string, Group> _groups = [];
    private readonly List<double> _steps = [];
    private long _start;

    /// <summary>Steps measured.</summary>
    public int Steps => _steps.Count;

    /// <summary>Median time of a step; more than its ops together by what lies between them.</summary>
    public double StepSeconds => Median(_steps);

    /// <summary>What was run, the slowest first.</summary>
    public IReadOnlyList<ProfiledOperation> Operations =>
        [.. _groups.Values.Select(group => group.Medians()).OrderByDescending(operation => operation.Seconds)];

    internal void Begin() => _start = Stopwatch.GetTimestamp();

    internal void Execute(Instruction instruction, StepContext step)
    {
        if (!_groupOf.TryGetValue(instruction, out var group))
            group = Add(instruction, step);
        // Before it runs: its result may lie where its inputs were.
        var work = instruction.Writes.Aggregate(default(Work), (sum, node) => sum + node.Work(step));
        var start = Stopwatch.GetTimestamp();
        instruction.Execute(step);
        group.Count(Stopwatch.GetElapsedTime(start).TotalSeconds, work);
    }

    internal void End()
    {
        _steps.Add(Stopwatch.GetElapsedTime(_start).TotalSeconds);
        foreach (var group in _groups.Values)
            group.EndStep();
    }

    private Group Add(Instruction instruction, StepContext step)
    {
        var matrices = instruction.Writes.SelectMany(node => node.Matrices).ToList();
        var types = matrices.Select(weight => weight.Matrix.Type).Distinct().ToList();
        var names = new[]
        {
            string.Join(" + ", instruction.Writes.Select(NameOf).Distinct()),
            string.Join('+', matrices.Select(weight => Role(weight.Name)).Distinct()),
            string.Join('+', types),
        };
        var name = string.Join(' ', names.Where(part => part.Length > 0));
        if (!_groups.TryGetValue(name, out var group))
            _groups.Add(name, group = new Group(name, types.Count > 0 ? UnitOf(types[0], step.Rows(instruction.Writes[0]), step) : ArithmeticUnit.F32));
        return _groupOf[instruction] = group;
    }

    private static ArithmeticUnit UnitOf(TensorType type, int rows, StepContext step) => ProductKernels.Choose(type, rows, step.Precision, step.Pool.Level) switch
    {
        ProductKernel.Gemv or ProductKernel.RowLanes or ProductKernel.Gemm => ArithmeticUnit.Vnni,
        ProductKernel.TileGemm => ArithmeticUnit.Tiles,
        ProductKernel.Bf16Gemm or ProductKernel.Bf16Batch => ArithmeticUnit.Bf16,
        _ => ArithmeticUnit.F32,
    };

    /// <summary>RmsNormOp: rms norm</summary>
    private static string NameOf(Node node)
    {
        var words = node.GetType().Name.AsSpan();
        if (words.EndsWith("Op"))
            words = words[..^2];
        return string.Concat(words.ToArray().Select((c, i) => char.IsAsciiLetterUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
    }

    /// <summary>blk.3.attn_q.weight: attn_q</summary>
    private static string Role(string tensor)
    {
        var parts = tensor.Split('.');
        return string.Join('.', parts.Where((part, i) => part != "weight" && !(i < 2 && parts[0] == "blk")));
    }

    private static double Median(List<double> values) => values.Count == 0 ? 0 : values.Order().ElementAt(values.Count / 2);

    /// <summary>What one line of a profile is made of.</summary>
    private sealed class Group(string name, ArithmeticUnit unit)
    {
        private readonly List<double> _seconds = [];
        private readonly List<Work> _work = [];
        private double _current;
        private Work _currentWork;
        private int _calls;
        private int _lastCalls;

        public void Count(double seconds, Work work)
        {
            _current += seconds;
            _currentWork += work;
            _calls++;
        }

        public void EndStep()
        {
            _seconds.Add(_current);
            _work.Add(_currentWork);
            (_lastCalls, _current, _currentWork, _calls) = (_calls, 0, default, 0);
        }

        public ProfiledOperation Medians()
        {
            var work = _work.OrderBy(step => step.MultiplyAdds).ElementAt(_work.Count / 2);
            return new ProfiledOperation(name, _lastCalls, Median(_seconds), work.Bytes, work.MultiplyAdds, unit);
        }
    }
}
