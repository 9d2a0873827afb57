using System.Globalization;
using System.Text;
using System.Text.Json;

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

    /// <summary>A failure at one field of a file.</summary>
    internal static ModelFormatException At(string path, string field, long offset, string what) =>
        new($"{path}: {field} at byte {offset}: {what}");

    /// <summary>A name out of a file, quoted for a message: on one line and at most 80 characters long.</summary>
    internal static string Quote(ReadOnlySpan<char> name) => $"'{OneLine(name, 80)}'";

    /// <summary>What a JSON parser says, without the position, which it counts in its own way.</summary>
    internal static string Reason(JsonException failure) => "no valid JSON: " + OneLine(failure.Message.Split(" LineNumber:")[0], 200);

    private static string OneLine(ReadOnlySpan<char> words, int length)
    {
        var text = new StringBuilder();
        foreach (var c in words[..Math.Min(words.Length, length)])
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029' || char.IsSurrogate(c))
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                text.Append(c);
        }
        return text.Append(words.Length > length ? "…" : "").ToString();
    }

    /// <summary>Makes an exception without a message; prefer the others.</summary>
    public ModelFormatException()
    {
    }
}
