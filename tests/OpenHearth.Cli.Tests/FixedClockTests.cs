namespace OpenHearth.Cli.Tests;

public sealed class FixedClockTests
{
    [Fact]
    public void Parse_LocalTime_IsThatTimeEverywhere()
    {
        var clock = FixedClock.Parse("2026-03-15T09:30:00");
        Assert.Equal(new DateTime(2026, 3, 15, 9, 30, 0), clock.GetLocalNow().DateTime);
        Assert.Equal(clock.GetLocalNow(), clock.GetLocalNow());
    }

    [Fact]
    public void Parse_NoTime_Returns2() => Assert.Equal(2, Assert.Throws<Failure>(() => FixedClock.Parse("soon")).ExitCode);
}
