using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OpenHearth.Engine.Templates.Running;

/// <summary>What a rendering has used of its limits. Everything that a template can make grow is charged here first.</summary>
internal sealed class Budget
{
    private const int StepsBetweenClocks = 4096;

    private readonly TemplateLimits _limits;
    private readonly long _maxSteps;
    private readonly long _maxBytes;
    private readonly long _deadline;
    private long _steps;
    private long _nextCheck;
    private long _bytes;
    private int _depth;

    public Budget(TemplateLimits limits, long inputSize)
    {
        _limits = limits;
        _maxSteps = limits.Steps + (16 * inputSize);
        _maxBytes = limits.Bytes + (64 * inputSize);
        MaxOutput = (int)Math.Min(int.MaxValue / 2, limits.OutputLength + (8 * inputSize));
        _deadline = Stopwatch.GetTimestamp() + (long)(limits.Time.TotalSeconds * Stopwatch.Frequency);
        _nextCheck = Math.Min(_maxSteps, StepsBetweenClocks);
    }

    public int MaxOutput { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step()
    {
        if (++_steps > _nextCheck)
            Check();
    }

    /// <summary>Charges work that a built-in function is about to do.</summary>
    public void Step(long count)
    {
        _steps += count;
        if (_steps > _nextCheck)
            Check();
    }

    /// <summary>Charges a pass over a text.</summary>
    public void Scan(int length) => Step(1 + (length >> 5));

    /// <summary>Charges work on each character of a text.</summary>
    public void Walk(int length) => Step(1 + (length >> 2));

    /// <summary>Charges a search for a part, which takes the product of the lengths at worst.</summary>
    public void Search(int length, int part)
    {
        Scan(length);
        if (part > 32)
            Step((long)length * part >> 10);
    }

    /// <summary>Charges the conversion of an integer to or from digits.</summary>
    public void Convert(long bits) => Step(bits >> 5);

    /// <summary>Charges memory that is about to be taken.</summary>
    public void Take(long bytes)
    {
        if ((_bytes += bytes) > _maxBytes || bytes < 0)
            throw Errors.Limit($"more than {_maxBytes >> 20} MiB of memory");
    }

    /// <summary>Charges a text of so many UTF-16 units.</summary>
    public void TakeText(long length) => Take((2 * length) + 32);

    /// <summary>Charges a list or dictionary of so many elements.</summary>
    public void TakeItems(long count) => Take((48 * count) + 64);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (++_depth > _limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Errors.Limit($"expressions, blocks or calls nested deeper than {_limits.Depth}");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave() => _depth--;

    private void Check()
    {
        if (_steps > _maxSteps)
            throw Errors.Limit($"more than {_maxSteps} steps");
        if (Stopwatch.GetTimestamp() > _deadline)
            throw Errors.Limit($"more than {_limits.Time.TotalSeconds:0.###} s");
        _nextCheck = Math.Min(_maxSteps, _steps + StepsBetweenClocks);
    }
}
