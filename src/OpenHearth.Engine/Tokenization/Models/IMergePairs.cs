namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>Which neighbours merge: by a table of pairs of ids, or because their text together is a piece.</summary>
internal interface IMergePairs
{
    /// <summary>The merge of two neighbours, of which the first starts at one byte of the piece, the second at another and ends at a third; -1 where they don't merge.</summary>
    int Find(int left, int right, int leftStart, int end);

    /// <summary>The order of a merge; smaller ones come first.</summary>
    uint Priority(int merge);

    /// <summary>The id that a merge gives.</summary>
    int Result(int merge);
}
