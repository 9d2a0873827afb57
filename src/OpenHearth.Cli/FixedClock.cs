using System.Globalization;

namespace OpenHearth.Cli;

/// <summary>A clock that stands still at a local time: what HEARTH_NOW asks for.</summary>
internal sealed class FixedClock(DateTime now) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>A clock at the time that a text names.</summary>
    /// <exception cref="Failure">The text names no time.</exception>
    public static FixedClock Parse(string text) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var now)
            ? new FixedClock(now)
            : throw Failure.WrongCommandLine($"HEARTH_NOW is '{text}', which is no time like 2026-03-15T09:30:00.");

    public override DateTimeOffset GetUtcNow() => new(DateTime.SpecifyKind(now, DateTimeKind.Unspecified), TimeSpan.Zero);
}
