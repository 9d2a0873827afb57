namespace OpenHearth.Engine.Generation;

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended it, or a stop text came up.</summary>
    Stop,

    /// <summary>The most tokens asked for were made, or the context was full.</summary>
    Length,

    /// <summary>The caller cancelled; what came before stands.</summary>
    Cancelled,
}
