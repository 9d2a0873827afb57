namespace OpenHearth.Engine.Files;

/// <summary>
/// A model file is damaged, hostile or of a kind that this program can't read. The message is one line that names
/// the file, the field and, where there is one, the offset.
/// </summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Makes an exception with a message for people.</summary>
    public ModelFormatException(string message) : base(message)
    {
    }

    /// <summary>Makes an exception with a message for people and the failure behind it.</summary>
    public ModelFormatException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Makes an exception without a message; prefer the others.</summary>
    public ModelFormatException()
    {
    }
}
