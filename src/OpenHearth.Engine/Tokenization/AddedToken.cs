namespace OpenHearth.Engine.Tokenization;

/// <summary>A token that is looked for in the text before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text, UTF-8.</param>
internal sealed record AddedToken(int Id, byte[] Content)
{
    /// <summary>A control token: found only where the caller allows special tokens in the text.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>It takes the blanks before it.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>It takes the blanks behind it.</summary>
    public bool StripsRight { get; init; }

    /// <summary>It counts only where no letter or digit stands beside it.</summary>
    public bool IsSingleWord { get; init; }

    /// <summary>It is looked for in the normalized text.</summary>
    public bool IsNormalized { get; init; }
}
