namespace OpenHearth.Engine.Templates;

/// <summary>Why a template failed.</summary>
public enum TemplateErrorKind
{
    /// <summary>The text isn't a template.</summary>
    Syntax,

    /// <summary>The template called <c>raise_exception</c>; the message is its own.</summary>
    Raised,

    /// <summary>Something that isn't there was used for more than printing or testing it.</summary>
    Undefined,

    /// <summary>An operation met a value of a type it can't take.</summary>
    Type,

    /// <summary>An operation met a value it can't take, such as a division by zero.</summary>
    Value,

    /// <summary>The template asked for something that templates may not do.</summary>
    Security,

    /// <summary>The template used up its steps, memory, output, depth or time.</summary>
    Limit,
}

/// <summary>A template can't be read or rendered.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>Makes an exception of one kind; <paramref name="line"/> counts from 1.</summary>
    public TemplateException(TemplateErrorKind kind, string message, int? line = null) : base(message)
    {
        Kind = kind;
        Line = line;
    }

    /// <summary>Makes an exception of kind <see cref="TemplateErrorKind.Value"/>; prefer the constructor with a kind.</summary>
    public TemplateException(string message) : this(TemplateErrorKind.Value, message)
    {
    }

    /// <summary>Makes an exception of kind <see cref="TemplateErrorKind.Value"/> with the failure behind it.</summary>
    public TemplateException(string message, Exception innerException) : base(message, innerException) => Kind = TemplateErrorKind.Value;

    /// <summary>Makes an exception without a message; prefer the others.</summary>
    public TemplateException() => Kind = TemplateErrorKind.Value;

    /// <summary>Why it failed.</summary>
    public TemplateErrorKind Kind { get; }

    /// <summary>The line of the template, from 1, where known.</summary>
    public int? Line { get; internal set; }

    /// <summary>
    /// One line for people: the message with the line of the template, but what a template raised itself stands alone, for it
    /// speaks to who wrote the messages. <see cref="Exception.Message"/> is always the bare message.
    /// </summary>
    public string Report => Kind == TemplateErrorKind.Raised ? Message
        : Line is { } line ? $"chat template, line {line}: {Message}" : $"chat template: {Message}";
}
