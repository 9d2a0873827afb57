using BenchmarkDotNet.Attributes;
using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;
using Kernel = OpenHearth.Kernels.Attention.Attention;

namespace OpenHearth.Benchmarks.Kernels.Attention;

/// <summary>One layer of TinyLlama-1.1B's attention: 32 heads of 64 share 4 key heads; one token or a prompt, behind a past.</summary>
[ShortRunJob]
[MemoryDiagnoser]
public class AttentionBenchmarks
{
    private static readonly AttentionShape Shape = new() { Heads = 32, KeyHeads = 4, KeyWidth = 64, ValueWidth = 64, Scale = 0.125f };

    private ComputePool _pool = null!;
    private AttentionWorkspace _workspace = null!;
    private NativeBuffer<byte> _memory = null!;
    private NativeBuffer<byte> _waiting = null!;
    private CacheFormats _formats;
    private AttentionRun[] _runs = [];
    private float[] _queries = [];
    private float[] _output = [];

    [Params("F16", "F32", "Q8_0", "Q4_0")]
    public string Cache { get; set; } = "";

    [Params(1, 512)]
    public int Tokens { get; set; }

    [Params(0, 4096)]
    public int Past { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _pool = new ComputePool(CpuFeatures.Current.Cores);
        _workspace = new AttentionWorkspace();
        var format = CacheFormat.All.Single(format => format.Name.Equals(Cache, StringComparison.OrdinalIgnoreCase));
        _formats = new CacheFormats(format, format);
        var total = Past + Tokens;
        var blocks = (total + CacheFormat.BlockTokens - 1) / CacheFormat.BlockTokens;
        var bytes = _formats.BlockBytes(Shape);
        _memory = new NativeBuffer<byte>(blocks * bytes);
        _waiting = new NativeBuffer<byte>(_formats.WaitingBytes(Shape));
        var region = MemoryRegion.Of(_memory);
        MemoryRegion[] pages = [.. Enumerable.Range(0, blocks).Select(i => region.Slice(i * bytes, bytes))];
        Kernel.Store(_pool, Shape, _formats, new CachePlace(0), [new AttentionRun(pages, 0, total, 0, MemoryRegion.Of(_waiting))], Values(1, total * Shape.KeyHeads * Shape.KeyWidth), Values(2, total * Shape.KeyHeads * Shape.ValueWidth));
        _runs = [new AttentionRun(pages, 0, Tokens, Past, MemoryRegion.Of(_waiting))];
        _queries = Values(3, Tokens * Shape.Heads * Shape.KeyWidth);
        _output = new float[Tokens * Shape.Heads * Shape.ValueWidth];
    }

    [GlobalCleanup]
    public void Free()
    {
        _memory.Dispose();
        _waiting.Dispose();
        _workspace.Dispose();
        _pool.Dispose();
    }

    [Benchmark]
    public void Forward() => Kernel.Forward(_pool, _workspace, Shape, _formats, new CachePlace(0), _runs, _queries, [], [], _output, Precision.Fast);

    private static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (2 * random.NextSingle()) - 1)];
    }
}
