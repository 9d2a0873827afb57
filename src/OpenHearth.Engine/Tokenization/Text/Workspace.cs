using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Text;

/// <summary>The arrays that encoding one text needs; one for each thread, so that a call allocates next to nothing.</summary>
internal sealed class Workspace
{
    [ThreadStatic]
    private static Workspace? _ofThread;

    /// <summary>The text as given.</summary>
    public TextBuffer Raw { get; } = new();

    /// <summary>The text being rewritten, and what it is rewritten to.</summary>
    public TextBuffer Current { get; private set; } = new();

    /// <summary>The target of the next rewriting.</summary>
    public TextBuffer Next { get; private set; } = new();

    /// <summary>The pieces of a text, rewritten one by one.</summary>
    public TextBuffer Pieces { get; } = new();

    /// <summary>Ends of the pieces so far.</summary>
    public CutList Cuts { get; private set; } = new();

    /// <summary>Ends of the pieces after the next step.</summary>
    public CutList NextCuts { get; private set; } = new();

    /// <summary>The tokens found.</summary>
    public TokenList Tokens { get; } = new();

    /// <summary>Arrays of the merging algorithms.</summary>
    public MergeQueue Queue { get; } = new();

    /// <summary>Arrays of the unigram model.</summary>
    public Lattice Lattice { get; } = new();

    /// <summary>Tokens of one piece, before they are appended.</summary>
    public TokenBuffer Piece { get; } = new();

    /// <summary>Takes the thread's workspace, or a new one where it is in use.</summary>
    public static Workspace Rent()
    {
        var work = _ofThread ?? new Workspace();
        _ofThread = null;
        return work;
    }

    /// <summary>Gives it back.</summary>
    public void Return()
    {
        Raw.Trim();
        Current.Trim();
        Next.Trim();
        Pieces.Trim();
        Tokens.Trim();
        Queue.Trim();
        Piece.Trim();
        Lattice.Trim();
        _ofThread = this;
    }

    /// <summary>What was rewritten last becomes the current text.</summary>
    public void SwapText() => (Current, Next) = (Next, Current);

    /// <summary>The pieces cut last become the current ones.</summary>
    public void SwapCuts() => (Cuts, NextCuts) = (NextCuts, Cuts);
}
