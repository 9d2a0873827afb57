namespace OpenHearth.Engine;

/// <summary>A sequence would become longer than its context, or a context longer than memory allows. The message has the numbers.</summary>
public sealed class ContextOverflowException : Exception
{
    /// <summary>Makes an exception with a message for people.</summary>
    public ContextOverflowException(string message) : base(message)
    {
    }

    /// <summary>Makes an exception with a message for people and the failure behind it.</summary>
    public ContextOverflowException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Makes an exception without a message; prefer the others.</summary>
    public ContextOverflowException()
    {
    }
}
