using System.Runtime.InteropServices;

namespace OpenHearth.Engine.Tests.Architectures;

/// <summary>A trained model of 834 thousand weights that reads bytes, from the tests of rwkv.cpp, with the logits after three of them.</summary>
public sealed class Rwkv7Tests
{
    private static readonly int[] Prompt = ['"', 'i', 'n'];

    [Theory]
    [InlineData("tiny-rwkv-7v0-834K-FP32.bin", 1e-4)]
    [InlineData("tiny-rwkv-7v0-834K-Q5_1.bin", 0.02)]
    public void Logits_AfterThePrompt_AreTheReference(string file, double tolerance)
    {
        using var model = Load(file);
        using var session = model.CreateSession();
        var error = LogitComparison.Error(Expected(), session.Step(Prompt).ToArray());
        Assert.True(error <= tolerance, $"error {error:E1} of the standard deviation");
    }

    [Fact]
    public void Logits_InPieces_AreThoseOfTheWhole()
    {
        using var model = Load("tiny-rwkv-7v0-834K-FP32.bin");
        using Session whole = model.CreateSession(), pieces = model.CreateSession();
        int[] text = [.. "\"in the beginning\", he said, and went on".Select(letter => (int)letter)];
        var expected = whole.Step(text).ToArray();
        pieces.Step(text.AsSpan(0, 1));
        pieces.Step(text.AsSpan(1, 12));
        pieces.Step(text);
        pieces.Truncate(13);
        Assert.True(LogitComparison.Error(expected, pieces.Step(text.AsSpan(13)).ToArray()) <= 1e-5);
        Assert.Empty(model.UnusedTensors);
    }

    private static Model Load(string file) => Model.Load(Fixtures.Path("models/tiny_rwkv/" + file), new ModelOptions { Exact = true, Threads = 2 });

    private static float[] Expected() =>
        MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Fixtures.Path("models/tiny_rwkv/expected-logits-7v0-834K.bin"))).ToArray();
}
