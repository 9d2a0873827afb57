using BenchmarkDotNet.Attributes;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Benchmarks.Kernels.MatMul;

/// <summary>A product of 5632 × 2048 weights, each time of the next of as many matrices as fill more memory than caches hold.</summary>
[ShortRunJob]
[MemoryDiagnoser]
public class ProductBenchmarks
{
    private const long Bytes = 256 << 20;

    private ComputePool _pool = null!;
    private LayerStack _weights = null!;

    [ParamsSource(nameof(Formats))]
    public TensorType Format { get; set; }

    [Params(1, 4, 16, 512)]
    public int Tokens { get; set; }

    public static IEnumerable<TensorType> Formats => BlockFormats.All.Where(format => format.BlockSize > 1 || format.CanEncode).Select(format => format.Type);

    [GlobalSetup]
    public void Fill()
    {
        _pool = new ComputePool(CpuFeatures.Current.Cores);
        _weights = new LayerStack(Format, Bytes);
    }

    [GlobalCleanup]
    public void Free()
    {
        _weights.Dispose();
        _pool.Dispose();
    }

    [Benchmark]
    public void Multiply() => _weights.MultiplyNext(_pool, Tokens, Precision.Fast);

    [Benchmark]
    public void MultiplyExactly() => _weights.MultiplyNext(_pool, Tokens, Precision.Exact);
}
