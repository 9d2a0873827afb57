using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.KvCache;

namespace OpenHearth.Engine.Tests;

public sealed class MemoryPredictionTests
{
    [Theory]
    [InlineData(0, null, 0, 0)]
    [InlineData(70, null, 0, 4)]
    [InlineData(0, CacheType.Q8_0, 0, 0)]
    [InlineData(0, CacheType.Q4_0, 0, 0)]
    [InlineData(70, CacheType.Q4_0, 0, 4)]
    public void PredictMemory_OfASession_IsWhatItHolds(int window, CacheType? type, int least, int most)
    {
        using var file = new TinyLlama(context: 1024, window: window);
        using var model = Model.Load(file.Path, new ModelOptions { Threads = 1, MaximumStepTokens = 64, CachedKeys = type, CachedValues = type });
        using var session = model.CreateSession();
        var held = 0L;
        for (var i = 0; i < 1024; i += 64)
        {
            session.Step(Enumerable.Range(i, 64).Select(id => id % TinyLlama.Vocabulary).ToArray());
            held = Math.Max(held, model.Blocks.BytesInUse);
        }
        var predicted = model.PredictMemory(1024);
        var block = model.Blocks.Layout.Groups[0].BlockBytes;
        Assert.InRange(predicted.Cache - held, least * block, most * block);
        Assert.Equal(0, (predicted.Cache - held) % block);
        using var gguf = GgufFile.Open(file.Path);
        Assert.Equal(gguf.Tensors.Sum(tensor => tensor.Dimensions.Aggregate(4L, (a, b) => a * b)), predicted.Weights);
        Assert.Equal(model.ArenaBytes, predicted.Activations);
        Assert.Throws<ContextOverflowException>(() => model.PredictMemory(1025));
    }
}
