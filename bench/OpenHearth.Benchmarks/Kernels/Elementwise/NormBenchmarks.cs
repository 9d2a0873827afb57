using BenchmarkDotNet.Attributes;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Benchmarks.Kernels.Elementwise;

/// <summary>Norms of rows of 2048.</summary>
[ShortRunJob]
[MemoryDiagnoser]
public class NormBenchmarks
{
    private const int Width = 2048;

    private ComputePool _pool = null!;
    private float[] _weight = [];
    private float[] _a = [];
    private float[] _b = [];
    private float[] _sum = [];
    private float[] _y = [];

    [Params(1, 512)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _pool = new ComputePool(CpuFeatures.Current.Cores);
        var random = new Random(1);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];
        (_weight, _a, _b) = (Values(Width), Values(Rows * Width), Values(Rows * Width));
        (_sum, _y) = (new float[_a.Length], new float[_a.Length]);
    }

    [GlobalCleanup]
    public void Free() => _pool.Dispose();

    [Benchmark]
    public void Rms() => RmsNorm.Forward(_pool, _a, _weight, 1e-5f, _y, Rows, Width);

    [Benchmark]
    public void AddAndRms() => RmsNorm.AddForward(_pool, _a, _b, _weight, 1e-5f, _sum, _y, Rows, Width);

    [Benchmark]
    public void Layer() => LayerNorm.Forward(_pool, _a, _weight, _weight, 1e-5f, _y, Rows, Width);
}
