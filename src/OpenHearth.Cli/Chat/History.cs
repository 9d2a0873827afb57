namespace OpenHearth.Cli.Chat;

/// <summary>What was typed before, for the arrow keys.</summary>
internal sealed class History
{
    private const int Longest = 1000;

    private readonly List<string> _entries = [];
    private int _at; // entry that is shown; Count = the new text
    private string _draft = "";

    /// <summary>Remembers a line, and leaves the old ones.</summary>
    public void Add(string line)
    {
        if (line.Length > 0 && (_entries.Count == 0 || _entries[^1] != line))
            _entries.Add(line);
        if (_entries.Count > Longest)
            _entries.RemoveAt(0);
        _at = _entries.Count;
    }

    /// <summary>The entry before, or null at the first.</summary>
    /// <param name="current">What is on screen; kept when it is new.</param>
    public string? Older(string current)
    {
        if (_at == 0)
            return null;
        if (_at == _entries.Count)
            _draft = current;
        return _entries[--_at];
    }

    /// <summary>The entry after, at last the new text, or null beyond it.</summary>
    public string? Newer()
    {
        if (_at == _entries.Count)
            return null;
        return ++_at == _entries.Count ? _draft : _entries[_at];
    }
}
