using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Tests.Profiling;

public sealed class StepProfileTests
{
    private const int Layers = 2;
    private const int Width = 24;
    private const int CacheBytesAToken = 2 * (4 + 16) * sizeof(ushort); // 2 heads with keys of 4, values of 4 in rows of 16

    [Fact]
    public void Step_Profiled_GivesTheSameResults()
    {
        using var llama = new TinyLlama();
        using var model = Model.Load(llama.Path);
        using var plain = model.CreateSession();
        var expected = plain.Step([1, 2, 3]).ToArray();
        using var session = model.CreateSession();
        using var batch = new Batch();
        batch.Add(session, [1, 2, 3]);
        model.Step(batch, new StepProfile());
        Assert.Equal(expected, batch.Results(0).ToArray());
    }

    [Fact]
    public void Operations_Products_ReadEachWeightOnce()
    {
        var profile = Profile(tokens: 5);
        Assert.Equal(1, profile.Steps);
        var queries = Assert.Single(profile.Operations, op => op.Name == "linear attn_q+attn_k+attn_v F32");
        Assert.Equal(Layers, queries.Calls);
        Assert.Equal(Layers * Width * (24 + 8 + 8) * sizeof(float), queries.Bytes);
        Assert.Equal(5 * queries.Bytes / sizeof(float), queries.MultiplyAdds);
        var head = Assert.Single(profile.Operations, op => op.Name == "linear output F32");
        Assert.Equal(Width * TinyLlama.Vocabulary, head.MultiplyAdds); // one row was asked for
    }

    [Fact]
    public void Operations_Attention_CountsWhatTokensSee()
    {
        var attention = Assert.Single(Profile(tokens: 5).Operations, op => op.Name == "attention");
        Assert.Equal(Layers * (1 + 2 + 3 + 4 + 5) * 6 * (4 + 4), attention.MultiplyAdds);
        Assert.Equal(Layers * 5 * CacheBytesAToken, attention.Bytes);
    }

    [Fact]
    public void Operations_Together_TakeNoLongerThanTheStep()
    {
        var profile = Profile(tokens: 9);
        Assert.InRange(profile.Operations.Sum(op => op.Seconds), double.Epsilon, profile.StepSeconds);
    }

    [Fact]
    public void Operations_Unit_IsThatOfTheKernel()
    {
        var generated = ProductKernels.Choose(TensorType.Q4_1, 1, Precision.Fast, CpuFeatures.Current.Level) == ProductKernel.Gemv;
        using var model = Model.Load(SmolLm2Tests.ModelPath, new ModelOptions { ContextLength = 8 });
        using var session = model.CreateSession();
        using var batch = new Batch();
        batch.Add(session, [1]);
        var profile = new StepProfile();
        model.Step(batch, profile);
        Assert.Equal(generated ? ArithmeticUnit.Vnni : ArithmeticUnit.F32, Assert.Single(profile.Operations, op => op.Name == "linear ffn_down Q4_1").Unit);
        Assert.Equal(ArithmeticUnit.F32, Assert.Single(profile.Operations, op => op.Name == "attention").Unit);
    }

    private static StepProfile Profile(int tokens)
    {
        using var llama = new TinyLlama();
        using var model = Model.Load(llama.Path);
        using var session = model.CreateSession();
        using var batch = new Batch();
        batch.Add(session, [.. Enumerable.Range(1, tokens)]);
        var profile = new StepProfile();
        model.Step(batch, profile);
        return profile;
    }
}
