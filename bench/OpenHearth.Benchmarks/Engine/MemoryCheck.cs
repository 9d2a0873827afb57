using System.Globalization;
using OpenHearth.Engine;
using OpenHearth.Engine.KvCache;
using OpenHearth.Kernels.Formats;
using OpenHearth.Peers;

namespace OpenHearth.Benchmarks.Engine;

/// <summary>
/// Runs a model of SmolLM3's shape with random weights at the end of a long context and compares the memory of the process
/// with what was predicted: <c>memory [LAYERS] [TOKENS] [CACHE]</c>, by default 36 layers, 131072 tokens, q8_0.
/// The first and the last step are real. Those between would take hours: their blocks are taken from the pool and counted
/// as filled, with zeros for keys and values. Returns 1 where the prediction is off by more than 5 %.
/// </summary>
internal static class MemoryCheck
{
    private const int FirstStep = 512;
    private const int LastStep = 16;

    public static int Run(string[] args)
    {
        var layers = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : Shape.SmolLm3.Layers;
        var tokens = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : Shape.SmolLm3.Context;
        var cache = args.Length > 2 ? CacheTypes.Find(args[2]) : CacheType.Q8_0;
        var shape = Shape.SmolLm3 with { Name = $"smollm3-{layers}-layers", Layers = layers };
        var path = RandomModel.Ensure(Path.Combine(Path.GetTempPath(), "hearth-peers", "models"), shape, TensorType.Q4_0);
        using var model = Model.Load(path, new ModelOptions { CachedKeys = cache, CachedValues = cache });
        var predicted = model.PredictMemory(tokens);
        Console.WriteLine(predicted);
        using var session = model.CreateSession(tokens);
        var random = new Random(1);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Info.VocabularySize))];
        session.Step(Ids(FirstStep));
        var between = tokens - FirstStep - LastStep - 1;
        session.State.Begin(between);
        session.State.Reserve(between);
        session.State.Advance(new int[between]);
        session.Step(Ids(LastStep));
        session.Step(Ids(1));
        var measured = Environment.WorkingSet;
        var off = ((double)predicted.Total / measured) - 1;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{session.Length} tokens, {layers} layers, {cache} cache: predicted {predicted.Total / 1e6:F0} MB, resident {measured / 1e6:F0} MB, off by {100 * off:F1} %"));
        return Math.Abs(off) <= 0.05 ? 0 : 1;
    }
}
