using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>The rule that turns a piece of normalized text into tokens. Immutable but for its cache, thread-safe.</summary>
internal abstract class TokenModel
{
    /// <summary>Appends the tokens of bytes [start, end) of a text to the workspace's list.</summary>
    public abstract void Encode(Workspace work, TextBuffer text, int start, int end);
}
