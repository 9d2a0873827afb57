using System.Runtime.CompilerServices;

namespace OpenHearth.Kernels.Threading;

/// <summary>
/// A fixed set of threads that run one job at a time, each its own part; the caller is one of them.
/// Waiting spins briefly and then parks, so that a busy neighbour on a core costs its share and no more.
/// </summary>
/// <remarks>One caller at a time: <see cref="Run"/> is not reentrant and not thread-safe.</remarks>
public sealed unsafe class ComputePool : IDisposable
{
    private const int SpinsBeforePark = 2000;

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim[] _wake;
    private readonly ManualResetEventSlim _done = new(false, SpinsBeforePark);
    private delegate*<void*, int, int, void> _execute;
    private void* _job;
    private int _pending;
    private volatile bool _stopping;

    /// <summary>Starts <paramref name="threads"/> - 1 threads; the caller of <see cref="Run"/> is the last one.</summary>
    public ComputePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _workers = new Thread[threads - 1];
        _wake = new SemaphoreSlim[threads - 1];
        for (var i = 0; i < _workers.Length; i++)
        {
            var part = i + 1;
            _wake[i] = new SemaphoreSlim(0);
            _workers[i] = new Thread(() => Work(part)) { IsBackground = true, Name = $"hearth compute {part}" };
            _workers[i].Start();
        }
    }

    /// <summary>Number of parts that run at the same time.</summary>
    public int Threads { get; }

    /// <summary>Runs all parts of <paramref name="job"/> and returns when the last has ended. A job must not throw.</summary>
    public void Run<TJob>(ref TJob job) where TJob : struct, IJob
    {
        if (_workers.Length == 0)
        {
            job.Execute(0, 1);
            return;
        }
        fixed (void* pinned = &Unsafe.As<TJob, byte>(ref job))
        {
            _job = pinned;
            _execute = &Execute<TJob>;
            _pending = _workers.Length;
            _done.Reset();
            foreach (var wake in _wake)
                wake.Release();
            job.Execute(0, Threads);
            _done.Wait();
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        foreach (var wake in _wake)
            wake.Release();
        foreach (var worker in _workers)
            worker.Join();
        foreach (var wake in _wake)
            wake.Dispose();
        _done.Dispose();
    }

    private static void Execute<TJob>(void* job, int part, int parts) where TJob : struct, IJob =>
        Unsafe.AsRef<TJob>(job).Execute(part, parts);

    private void Work(int part)
    {
        while (true)
        {
            _wake[part - 1].Wait();
            if (_stopping)
                return;
            _execute(_job, part, Threads);
            if (Interlocked.Decrement(ref _pending) == 0)
                _done.Set();
        }
    }
}
