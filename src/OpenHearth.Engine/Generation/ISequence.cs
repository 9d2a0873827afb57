namespace OpenHearth.Engine.Generation;

/// <summary>What generation needs of a session: one growing sequence of tokens. Not thread-safe.</summary>
internal interface ISequence : IDisposable
{
    /// <summary>Tokens held.</summary>
    int Length { get; }

    /// <summary>Tokens held at most.</summary>
    int ContextLength { get; }

    /// <summary>Length of every row of logits.</summary>
    int VocabularySize { get; }

    /// <summary>Appends tokens; gives the logits [vocabulary] of the last, valid until the next step.</summary>
    ReadOnlySpan<float> Step(scoped ReadOnlySpan<int> tokens);

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    void Truncate(int length);
}
