namespace OpenHearth.Engine.Generation;

/// <summary>
/// Finds the first stop text in a text that comes in pieces, and holds back what may begin one until that is decided.
/// What it finds does not depend on how the text is cut: the stop that is complete first counts, the longest where
/// several end together.
/// </summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>The stop text that was found.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes the next piece; gives what can be shown. After a stop was found nothing more comes.</summary>
    public string Append(string piece)
    {
        if (Found is not null)
            return "";
        if (stops.Count == 0)
            return piece;
        var text = _held + piece;
        for (var end = _held.Length + 1; end <= text.Length; end++)
        {
            Found = LongestEnding(text.AsSpan(0, end));
            if (Found is null)
                continue;
            _held = "";
            return text[..(end - Found.Length)];
        }
        var safe = text.Length - HeldLength(text);
        _held = text[safe..];
        return text[..safe];
    }

    /// <summary>Ends the text; gives what was held back.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = "";
        return rest;
    }

    private string? LongestEnding(ReadOnlySpan<char> text)
    {
        string? longest = null;
        foreach (var stop in stops)
        {
            if (text.EndsWith(stop) && !(longest?.Length >= stop.Length))
                longest = stop;
        }
        return longest;
    }

    /// <summary>Length of the longest end of the text that begins a stop text.</summary>
    private int HeldLength(ReadOnlySpan<char> text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.EndsWith(stop.AsSpan(0, length)))
                    longest = length;
            }
        }
        return longest;
    }
}
