namespace OpenHearth.Engine.Tests.Templates;

/// <summary>A clock that stands still, in a place where local time is UTC.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => now;
}
