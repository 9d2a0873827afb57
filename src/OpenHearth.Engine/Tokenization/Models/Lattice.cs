namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>For each byte of a piece the best way to get there. Not thread-safe; keeps its arrays from piece to piece.</summary>
internal sealed class Lattice
{
    private double[] _scores = new double[256];
    private int[] _starts = new int[256];
    private int[] _ids = new int[256];

    /// <summary>Starts a piece of a number of bytes.</summary>
    public void Clear(int length)
    {
        if (length >= _scores.Length)
        {
            var size = Math.Max(length + 1, _scores.Length * 2);
            (_scores, _starts, _ids) = (new double[size], new int[size], new int[size]);
        }
        _starts.AsSpan(0, length + 1).Fill(-1);
        _scores[0] = 0;
    }

    /// <summary>The score of the best way to a byte.</summary>
    public double Score(int at) => _scores[at];

    /// <summary>The last token of the best way to a byte, and where that token starts.</summary>
    public (int Id, int Start) Last(int at) => (_ids[at], _starts[at]);

    /// <summary>Takes a token from one byte to another where it beats what was there; of equals the first stays.</summary>
    public void Offer(int start, int end, int id, double score)
    {
        if (_starts[end] < 0 || score > _scores[end])
            (_scores[end], _starts[end], _ids[end]) = (score, start, id);
    }

    /// <summary>Drops arrays that a long text has left behind.</summary>
    public void Trim()
    {
        if (_scores.Length > 1 << 16)
            (_scores, _starts, _ids) = (new double[256], new int[256], new int[256]);
    }
}
