using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Kernels.Threading;

/// <summary>
/// A fixed set of threads that run one job at a time; the caller is one of them. Each takes neighbouring parts one after the other,
/// so that it reads memory in order, then what others have not come to, from their ends: nobody waits for a thread that has
/// not begun. Waiting spins briefly and then parks: a busy neighbour on a core costs its share and no more.
/// </summary>
/// <remarks>One caller at a time: <see cref="Run{TJob}(ref TJob, int)"/> is neither reentrant nor thread-safe, and says so when it is tried.</remarks>
public sealed unsafe class ComputePool : IDisposable
{
    // Longer than what lies between two products of a step, shorter than anybody notices.
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000; // 50 µs

    private const int Apart = 16; // numbers from share to share, two lines of the cache

    [ThreadStatic]
    private static int _worker;

    private readonly Worker[] _workers;
    private readonly Workspace[] _local;
    private readonly ComputePool?[] _alone;
    private readonly ManualResetEventSlim _done = new(false, 0);
    private delegate*<void*, int, int, void> _execute;
    private void* _job;
    private int _parts;
    private readonly ulong[] _shares; // [threads, Apart] the first of a thread's parts that nobody has taken << 32 | the end of them
    private uint _run; // number of the run
    private int _finished;
    private int _callerParked;
    private int _running;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;

    /// <summary>Starts <paramref name="threads"/> - 1 threads; the caller of Run is the last one.</summary>
    /// <param name="threads">At least 1.</param>
    public ComputePool(int threads) : this(threads, CpuFeatures.Current.Level)
    {
    }

    /// <summary>Starts threads for kernels of one level.</summary>
    /// <param name="threads">At least 1.</param>
    /// <param name="level">The highest level of instructions that products of this pool use; this processor must have it.</param>
    public ComputePool(int threads, CpuLevel level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        Level = level;
        _workers = new Worker[threads - 1];
        _shares = new ulong[threads * Apart];
        _local = new Workspace[threads];
        _alone = new ComputePool?[threads];
        for (var i = 0; i < threads; i++)
            _local[i] = new Workspace();
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = new Worker(this, i + 1);
        foreach (var worker in _workers)
            worker.Thread.Start();
    }

    /// <summary>Number of parts that run at the same time.</summary>
    public int Threads { get; }

    /// <summary>The highest level of instructions that products of this pool use.</summary>
    public CpuLevel Level { get; }

    /// <summary>Second-level cache of a core.</summary>
    internal int CacheBytes { get; } = CpuFeatures.Current.CacheBytes;

    /// <summary>Memory that the caller of Run fills before a run and all threads read in it.</summary>
    internal Workspace Shared { get; } = new();

    /// <summary>Memory of the thread that asks, for use within one part.</summary>
    internal Workspace Local => _local[Index];

    /// <summary>A pool of nobody but the thread that asks, for work that one part does by itself.</summary>
    internal ComputePool Alone => _alone[Index] ??= new ComputePool(1, Level);

    /// <summary>Which of the pool's threads asks. A pool of one may run on any thread, that of another pool too.</summary>
    internal int Index => _workers.Length == 0 ? 0 : _worker;

    /// <summary>Runs a job with as many parts as threads and returns when the last part has ended.</summary>
    /// <exception cref="InvalidOperationException">The pool is already running a job.</exception>
    public void Run<TJob>(ref TJob job) where TJob : struct, IJob => Run(ref job, Threads);

    /// <summary>Runs a job and returns when the last part has ended. What a part throws is thrown here, once all have ended.</summary>
    /// <param name="job">The job; its fields may be changed by its parts.</param>
    /// <param name="parts">Any number; more than threads even out the load.</param>
    /// <exception cref="InvalidOperationException">The pool is already running a job.</exception>
    public void Run<TJob>(ref TJob job, int parts) where TJob : struct, IJob
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (Interlocked.Exchange(ref _running, 1) != 0)
            throw new InvalidOperationException("This pool is running a job; it runs one at a time.");
        try
        {
            if (_workers.Length == 0 || parts <= 1)
            {
                for (var part = 0; part < parts; part++)
                    job.Execute(part, parts);
                return;
            }
            fixed (void* pinned = &Unsafe.As<TJob, byte>(ref job))
                Deal(pinned, &Execute<TJob>, parts);
            _failure?.Throw();
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        foreach (var worker in _workers)
            worker.Wake.Set();
        foreach (var worker in _workers)
        {
            worker.Thread.Join();
            worker.Wake.Dispose();
        }
        foreach (var local in _local)
            local.Dispose();
        foreach (var alone in _alone)
            alone?.Dispose();
        Shared.Dispose();
        _done.Dispose();
    }

    private static void Execute<TJob>(void* job, int part, int parts) where TJob : struct, IJob =>
        Unsafe.AsRef<TJob>(job).Execute(part, parts);

    private void Deal(void* job, delegate*<void*, int, int, void> execute, int parts)
    {
        _job = job;
        _execute = execute;
        _parts = parts;
        _finished = 0;
        _failure = null;
        for (var i = 0; i < Threads; i++)
            Volatile.Write(ref Share(i), (ulong)((long)parts * i / Threads) << 32 | (uint)((long)parts * (i + 1) / Threads));
        Interlocked.Increment(ref _run); // a full fence
        var helpers = Math.Min(_workers.Length, parts - 1);
        for (var i = 0; i < helpers; i++)
        {
            if (Volatile.Read(ref _workers[i].Parked) != 0)
                _workers[i].Wake.Set();
        }
        TakeParts(0);
        WaitForOthers(parts);
    }

    private ref ulong Share(int thread) => ref _shares[thread * Apart];

    private void TakeParts(int thread)
    {
        while (Take(thread, first: true))
        {
        }
        for (var other = 1; other < Threads; other++)
        {
            while (Take((thread + other) % Threads, first: false))
            {
            }
        }
    }

    // Once a part is taken, its run cannot end before the part has, and all that the run goes by stays what it is. Whoever comes late
    // from another run takes a part like the others.
    private bool Take(int thread, bool first)
    {
        ref var share = ref Share(thread);
        while (true)
        {
            var left = Volatile.Read(ref share);
            var (next, end) = ((uint)(left >> 32), (uint)left);
            if (next >= end)
                return false;
            if (Interlocked.CompareExchange(ref share, first ? left + (1UL << 32) : left - 1, left) != left)
                continue;
            Execute((int)(first ? next : end - 1));
            return true;
        }
    }

    private void Execute(int part)
    {
        var parts = _parts;
        try
        {
            _execute(_job, part, parts);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
        }
        if (Interlocked.Increment(ref _finished) == parts && Volatile.Read(ref _callerParked) != 0)
            _done.Set();
    }

    private void WaitForOthers(int parts)
    {
        var start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _finished) != parts)
        {
            Thread.SpinWait(4);
            if (Stopwatch.GetTimestamp() - start < SpinTicks)
                continue;
            _done.Reset();
            Interlocked.Exchange(ref _callerParked, 1);
            while (Volatile.Read(ref _finished) != parts)
            {
                _done.Wait();
                _done.Reset();
            }
            Volatile.Write(ref _callerParked, 0);
            return;
        }
    }

    private sealed class Worker
    {
        private readonly ComputePool _pool;
        private readonly int _index;

        public Worker(ComputePool pool, int index)
        {
            _pool = pool;
            _index = index;
            Thread = new Thread(Work) { IsBackground = true, Name = $"hearth compute {index}" };
        }

        public Thread Thread { get; }

        public ManualResetEventSlim Wake { get; } = new(false, 0);

        public int Parked;

        private void Work()
        {
            _worker = _index;
            var done = 0u;
            while (true)
            {
                var run = WaitForRun(done);
                if (_pool._stopping)
                    return;
                _pool.TakeParts(_index);
                done = run;
            }
        }

        private uint WaitForRun(uint done)
        {
            var start = Stopwatch.GetTimestamp();
            while (true)
            {
                var run = Volatile.Read(ref _pool._run);
                if (run != done || _pool._stopping)
                    return run;
                Thread.SpinWait(4);
                if (Stopwatch.GetTimestamp() - start < SpinTicks)
                    continue;
                Interlocked.Exchange(ref Parked, 1);
                while (Volatile.Read(ref _pool._run) == done && !_pool._stopping)
                {
                    Wake.Wait();
                    Wake.Reset();
                }
                Volatile.Write(ref Parked, 0);
            }
        }
    }
}
