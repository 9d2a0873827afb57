using OpenHearth.Kernels.Threading;

namespace OpenHearth.Kernels.Tests.Threading;

public sealed class ComputePoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_AnyNumberOfParts_DoesEachOnce(int threads)
    {
        using var pool = new ComputePool(threads);
        for (var round = 0; round < 2000; round++)
        {
            var parts = round % 23;
            var counts = new int[parts];
            var job = new Count { Counts = counts };
            pool.Run(ref job, parts);
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_OneThreadHeldUp_LeavesTheRestToOthers()
    {
        using var pool = new ComputePool(3);
        for (var held = 0; held < 30; held++)
        {
            var job = new HeldUp { Held = held % 10, Done = new int[1] };
            pool.Run(ref job, 10);
            Assert.Equal(9, job.Done[0]);
        }
    }

    [Fact]
    public void Run_ManyParts_GivesAThreadNeighboursInOrder()
    {
        const int threads = 3, parts = 100;
        using var pool = new ComputePool(threads);
        var job = new Record { Pool = pool, Taken = [.. Enumerable.Range(0, threads).Select(_ => new List<int>())] };
        for (var round = 0; round < 200; round++)
        {
            pool.Run(ref job, parts);
            for (var thread = 0; thread < threads; thread++)
            {
                var (first, end) = (parts * thread / threads, parts * (thread + 1) / threads);
                var own = job.Taken[thread].Where(part => part >= first && part < end).ToList();
                Assert.Equal(Enumerable.Range(first, own.Count), own);
                Assert.Equal(own, job.Taken[thread].Take(own.Count));
                job.Taken[thread].Clear();
            }
        }
    }

    [Fact]
    public void Run_AfterAPause_WakesParkedThreads()
    {
        using var pool = new ComputePool(3);
        for (var round = 0; round < 20; round++)
        {
            Thread.Sleep(round % 3);
            var counts = new int[50];
            var job = new Count { Counts = counts, Work = 200 };
            pool.Run(ref job, 50);
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_PartThrows_ThrowsHereOnceAllEnded_AndGoesOnWorking()
    {
        using var pool = new ComputePool(3);
        for (var round = 0; round < 50; round++)
        {
            var counts = new int[12];
            var job = new Count { Counts = counts, ThrowAt = round % 12 };
            Assert.Throws<InvalidDataException>(() => pool.Run(ref job, 12));
            Assert.All(counts, count => Assert.Equal(1, count));
            var fine = new Count { Counts = new int[12] };
            pool.Run(ref fine, 12);
        }
    }

    [Fact]
    public void Run_FromWithinAJob_IsRefused()
    {
        using var pool = new ComputePool(2);
        var job = new Nested { Pool = pool };
        Assert.Throws<InvalidOperationException>(() => pool.Run(ref job, 2));
        Assert.Throws<InvalidOperationException>(() => pool.Run(ref job, 1));
    }

    [Fact]
    public void Run_Twice_AllocatesNothing()
    {
        using var pool = new ComputePool(2);
        var job = new Count { Counts = new int[64] };
        pool.Run(ref job, 64);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            pool.Run(ref job, 64);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Run_AfterDispose_Throws()
    {
        var pool = new ComputePool(2);
        pool.Dispose();
        pool.Dispose();
        var job = new Count { Counts = new int[1] };
        Assert.Throws<ObjectDisposedException>(() => pool.Run(ref job));
    }

    private struct Count : IJob
    {
        public int[] Counts;
        public int? ThrowAt;
        public int Work;

        public readonly void Execute(int part, int parts)
        {
            Interlocked.Increment(ref Counts[part]);
            Thread.SpinWait(Work);
            if (part == ThrowAt)
                throw new InvalidDataException();
        }
    }

    // One part ends only when all others have.
    private struct HeldUp : IJob
    {
        public int Held;
        public int[] Done;

        public readonly void Execute(int part, int parts)
        {
            if (part != Held)
            {
                Interlocked.Increment(ref Done[0]);
                return;
            }
            var done = Done;
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref done[0]) == parts - 1, TimeSpan.FromSeconds(30)), "nobody took the parts of the thread that was held up");
        }
    }

    private struct Record : IJob
    {
        public ComputePool Pool;
        public List<int>[] Taken; // of each thread

        public readonly void Execute(int part, int parts)
        {
            Taken[Pool.Index].Add(part);
            Thread.SpinWait(20);
        }
    }

    private struct Nested : IJob
    {
        public ComputePool Pool;

        public readonly void Execute(int part, int parts)
        {
            var job = new Count { Counts = new int[1] };
            Pool.Run(ref job, 1);
        }
    }
}
