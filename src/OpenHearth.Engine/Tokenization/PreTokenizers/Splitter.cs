using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts a piece of text into smaller ones. Immutable, thread-safe.</summary>
internal abstract class Splitter
{
    /// <summary>Appends the ends of the pieces of bytes [start, end); the last is <paramref name="end"/>.</summary>
    public abstract void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts);
}
