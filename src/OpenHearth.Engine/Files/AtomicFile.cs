namespace OpenHearth.Engine.Files;

/// <summary>
/// A file that appears whole or not at all: it is written beside its place under a temporary name and renamed at the
/// end. Disposal before <see cref="Commit"/> leaves nothing behind and an older file as it was. Not thread-safe.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private bool _committed;

    /// <exception cref="IOException">The folder is not there or can't be written.</exception>
    public AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        _temporary = $"{_path}.{Guid.NewGuid():N}.tmp";
        Stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 17);
    }

    /// <summary>Where to write.</summary>
    public FileStream Stream { get; }

    /// <summary>Brings what was written to the disk; the name comes with <see cref="Commit"/>.</summary>
    public void Finish()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
    }

    /// <summary>Gives the finished file its name, in place of any older file.</summary>
    public void Commit()
    {
        File.Move(_temporary, _path, overwrite: true);
        _committed = true;
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_committed)
            File.Delete(_temporary);
    }
}
