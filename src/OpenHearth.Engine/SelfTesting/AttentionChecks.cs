using OpenHearth.Kernels.Attention;
using OpenHearth.Kernels.Elementwise;
using OpenHearth.Kernels.MatMul;
using OpenHearth.Kernels.Memory;
using OpenHearth.Kernels.Threading;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>Attention over a filled cache: a prompt, a single token behind a long past, and a window.</summary>
internal static class AttentionChecks
{
    private const int Heads = 6, KeyHeads = 2, KeyWidth = 40, ValueWidth = 24;
    private const double Tolerance = 1e-4; // exponentials differ in their last bits
    private const double RoundedTolerance = 8e-3; // queries and weights of bf16

    public static IEnumerable<(string Kernel, double Deviation)> Run(ComputePool pool, ComputePool twin)
    {
        var shape = new AttentionShape { Heads = Heads, KeyHeads = KeyHeads, KeyWidth = KeyWidth, ValueWidth = ValueWidth, Scale = 0.16f };
        (string Name, AttentionShape Shape, int Past, int Count)[] cases =
        [
            ("prompt", shape, 0, 97), ("token", shape, 700, 1), ("window", shape with { Window = 33 }, 60, 50), ("soft cap", shape with { SoftCap = 5 }, 3, 20),
        ];
        foreach (var format in CacheFormat.All.Select(format => new CacheFormats(format, format)))
        {
            foreach (var (name, layer, past, count) in cases)
            {
                var expected = Attend(twin, layer, format, past, count, Precision.Exact);
                yield return ($"attention, {format.Name} cache, {name}, exact", Deviation.Largest(Attend(pool, layer, format, past, count, Precision.Exact), expected, Tolerance));
                yield return ($"attention, {format.Name} cache, {name}", Deviation.Largest(Attend(pool, layer, format, past, count, Precision.Fast), expected, format.Keys == CacheFormat.BF16 ? RoundedTolerance : Tolerance));
            }
        }
    }

    private static float[] Attend(ComputePool pool, AttentionShape shape, CacheFormats format, int past, int count, Precision precision)
    {
        var total = past + count;
        var blocks = (total + CacheFormat.BlockTokens - 1) / CacheFormat.BlockTokens;
        using var memory = new NativeBuffer<byte>(blocks * format.BlockBytes(shape));
        using var waiting = new NativeBuffer<byte>(format.WaitingBytes(shape));
        using var workspace = new AttentionWorkspace();
        var place = new CachePlace(0, 0, new KeyTurn([1, 0.1f, 0.01f], 4, RotaryPairing.Halves));
        var region = MemoryRegion.Of(memory);
        var pages = Enumerable.Range(0, blocks).Select(i => region.Slice(i * format.BlockBytes(shape), format.BlockBytes(shape))).ToArray();
        var keys = Deviation.Normal(1, total * KeyHeads * KeyWidth);
        var values = Deviation.Normal(2, total * KeyHeads * ValueWidth);
        Attention.Store(pool, shape, format, place, [new AttentionRun(pages, 0, total, 0, MemoryRegion.Of(waiting))], keys, values);
        var output = new float[count * Heads * ValueWidth];
        Attention.Forward(pool, workspace, shape, format, place, [new AttentionRun(pages, 0, count, past, MemoryRegion.Of(waiting))], Deviation.Normal(3, count * Heads * KeyWidth), [], [], output, precision);
        return output;
    }
}
