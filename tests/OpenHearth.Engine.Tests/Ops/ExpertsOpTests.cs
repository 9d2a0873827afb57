namespace OpenHearth.Engine.Tests.Ops;

/// <summary>How experts and the heads of latent attention are run; that their results are right is shown by the architectures.</summary>
public sealed class ExpertsOpTests
{
    // Biases (gpt-oss), weighed inputs (llama4), latent attention (deepseek3), one matrix for gate and up (qwen3moe).
    public static TheoryData<string> Folders { get; } = ["mixtral", "gpt-oss", "llama4", "deepseek3", "qwen3moe"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Logits_OfAnyNumberOfThreads_AreTheSameBitForBit(string folder)
    {
        var fixture = new ArchitectureFixture(folder);
        foreach (var exact in (bool[])[true, false])
        {
            var expected = Run(fixture, 1, exact);
            foreach (var threads in (int[])[2, 5])
                Assert.Equal(expected, Run(fixture, threads, exact));
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Step_OnceWarm_AllocatesNothing(string folder)
    {
        var fixture = new ArchitectureFixture(folder);
        using var model = Model.Load(fixture.Form("safetensors"), new ModelOptions { Threads = 1 });
        using var session = model.CreateSession();
        void Decode()
        {
            for (var i = 0; i < fixture.Ids.Length; i++)
                session.Step(fixture.Ids.AsSpan(i, 1));
        }
        Decode();
        session.Truncate(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decode();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static float[] Run(ArchitectureFixture fixture, int threads, bool exact)
    {
        using var model = Model.Load(fixture.Form("safetensors"), new ModelOptions { Exact = exact, Threads = threads });
        using var session = model.CreateSession();
        var logits = new float[(fixture.Ids.Length + 1) * fixture.Width];
        session.Step(fixture.Ids, logits.AsSpan(0, fixture.Expected.Length));
        session.Step([1], logits.AsSpan(fixture.Expected.Length)); // a single token goes other ways
        return logits;
    }
}
