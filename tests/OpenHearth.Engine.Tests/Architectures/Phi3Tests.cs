namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Phi3Tests() : ArchitectureTests(
    "phi3/gguf", "phi3/safetensors", "phi3-longrope-dev/gguf", "phi3-longrope-dev/safetensors")
{
    [Fact]
    public void Truncate_ToWithinTheOriginalLength_GoesBackToItsAngles()
    {
        var fixture = new ArchitectureFixture("phi3-longrope-dev");
        using var model = Model.Load(fixture.Form("gguf"), new ModelOptions { Exact = true, Threads = 2 });
        using var whole = model.CreateSession();
        var expected = whole.Step(fixture.Ids.AsSpan(0, 24)).ToArray();
        using var session = model.CreateSession();
        session.Step(fixture.Ids);
        using var fork = session.Fork();
        session.Truncate(20);
        Assert.True(LogitComparison.Error(expected, session.Step(fixture.Ids.AsSpan(20, 4))) <= 1e-5);
        fork.Truncate(39);
        var last = fixture.Expected.AsSpan(39 * fixture.Width);
        Assert.True(LogitComparison.Error(last, fork.Step(fixture.Ids.AsSpan(39, 1))) <= 1e-4);
    }
}
