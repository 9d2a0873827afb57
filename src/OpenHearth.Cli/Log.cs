namespace OpenHearth.Cli;

/// <summary>How much is said on standard error; each level includes those before it.</summary>
internal enum LogLevel
{
    Error,
    Warning,
    Info,
    Debug,
}

/// <summary>Messages on standard error. Thread-safe.</summary>
internal sealed class Log(TextWriter error, LogLevel level)
{
    private readonly Lock _lock = new();

    /// <summary>True where messages of this level are written.</summary>
    public bool Writes(LogLevel at) => at <= level;

    public void Error(string message) => Write(LogLevel.Error, "", message);

    public void Warning(string message) => Write(LogLevel.Warning, "warning: ", message);

    public void Info(string message) => Write(LogLevel.Info, "", message);

    public void Debug(string message) => Write(LogLevel.Debug, "debug: ", message);

    private void Write(LogLevel at, string prefix, string message)
    {
        if (!Writes(at))
            return;
        lock (_lock)
            error.WriteLine($"hearth: {prefix}{message}");
    }
}
