using System.Diagnostics;
using System.Globalization;
using OpenHearth.Cli.Rendering;
using OpenHearth.Engine;
using OpenHearth.Engine.Profiling;

namespace OpenHearth.Cli.Commands;

/// <summary>
/// What <c>hearth bench</c> measures. Every round does each work once, so that ratios compare what ran within the same seconds.
/// </summary>
internal sealed class BenchWorks(Model model, int depth) : IDisposable
{
    private readonly List<BenchWork> _works = [];
    private readonly Random _random = new(1);
    private Session? _deep;

    public BenchWork Add(string name, Func<double> rate)
    {
        var work = new BenchWork(name, rate);
        _works.Add(work);
        return work;
    }

    /// <summary>Measures all; the first round is not counted.</summary>
    public void Run(Invocation run, int rounds)
    {
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var work in _works)
            {
                run.Interrupt.Token.ThrowIfCancellationRequested();
                run.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round} of {rounds}: {work.Name}"));
                var rate = work.Rate();
                run.Log.Info(string.Create(CultureInfo.InvariantCulture, $"{work.Name}, round {round}: {rate:F1} tokens/s"));
                if (round > 0)
                    work.Counted.Add(rate);
            }
        }
        run.Progress(null);
    }

    /// <summary>A prompt into an empty sequence.</summary>
    public double Prefill(int tokens)
    {
        using var session = model.CreateSession(tokens);
        var prompt = Tokens(tokens);
        return PerSecond(tokens, () => session.Step(prompt));
    }

    /// <summary>One token after another, behind nothing or behind <paramref name="behind"/> tokens.</summary>
    public double Decode(int tokens, int behind)
    {
        using var session = behind > 0 ? Deep(tokens).Fork() : model.CreateSession(tokens);
        var made = Tokens(tokens);
        return PerSecond(tokens, () =>
        {
            for (var i = 0; i < tokens; i++)
                session.Step(made.AsSpan(i, 1));
        });
    }

    /// <summary>Steps of one token of each of several sequences.</summary>
    public double Sequences(int steps, int count)
    {
        var sessions = Enumerable.Range(0, count).Select(_ => model.CreateSession(steps)).ToList();
        using var batch = new Batch();
        var made = Tokens(steps * count);
        try
        {
            return PerSecond(steps * count, () =>
            {
                for (var i = 0; i < steps; i++)
                {
                    batch.Clear();
                    for (var s = 0; s < count; s++)
                        batch.Add(sessions[s], made.AsSpan((i * count) + s, 1));
                    model.Step(batch);
                }
            });
        }
        finally
        {
            sessions.ForEach(session => session.Dispose());
        }
    }

    /// <summary>Steps of several tokens of one sequence with the results of each, as a check of guessed tokens takes.</summary>
    public double Rows(int tokens, int rows)
    {
        var steps = Math.Max(1, tokens / rows);
        using var session = model.CreateSession(steps * rows);
        using var batch = new Batch();
        var made = Tokens(steps * rows);
        return PerSecond(steps * rows, () =>
        {
            for (var i = 0; i < steps; i++)
            {
                batch.Clear();
                batch.Add(session, made.AsSpan(i * rows, rows), rows);
                model.Step(batch);
            }
        });
    }

    /// <summary>Where the time of decode goes.</summary>
    public StepProfile ProfileDecode(Invocation run, int tokens, int behind)
    {
        using var session = behind > 0 ? Deep(tokens).Fork() : model.CreateSession(tokens);
        return Profile(run, session, 1, tokens);
    }

    /// <summary>Where the time of a prompt's step goes.</summary>
    public StepProfile ProfilePrefill(Invocation run, int tokens, int rounds)
    {
        using var session = model.CreateSession(tokens);
        return Profile(run, session, tokens, rounds);
    }

    public void Dispose() => _deep?.Dispose();

    private StepProfile Profile(Invocation run, Session session, int tokens, int steps)
    {
        var profile = new StepProfile();
        using var batch = new Batch();
        for (var i = 0; i < steps; i++)
        {
            run.Interrupt.Token.ThrowIfCancellationRequested();
            batch.Clear();
            if (session.Length + tokens > session.ContextLength)
                session.Truncate(0);
            batch.Add(session, Tokens(tokens));
            model.Step(batch, profile);
        }
        return profile;
    }

    private Session Deep(int room)
    {
        if (_deep is null)
        {
            _deep = model.CreateSession(depth + room);
            _deep.Step(Tokens(depth));
        }
        return _deep;
    }

    // Made-up tokens: speed does not depend on what they say.
    private int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(model.Info.VocabularySize))];

    private static double PerSecond(int tokens, Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>One line of a benchmark: tokens a second, round by round.</summary>
internal sealed class BenchWork(string name, Func<double> rate)
{
    public string Name => name;

    public Func<double> Rate => rate;

    public List<double> Counted { get; } = [];

    public SpeedDocument Speed(int tokens) => new(tokens, Rates());

    public SpreadDocument Rates() => Spread(Counted, 2);

    /// <summary>This over another in the same round.</summary>
    public SpreadDocument RatioTo(BenchWork other) => Spread([.. Counted.Zip(other.Counted, (a, b) => a / b)], 3);

    private static SpreadDocument Spread(List<double> values, int digits)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        var median = sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new SpreadDocument(Math.Round(median, digits), Math.Round(sorted[0], digits), Math.Round(sorted[^1], digits));
    }
}
