using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Normalizers;

/// <summary>Rewrites text before it is cut into pieces. Immutable, thread-safe.</summary>
internal abstract class TextNormalizer
{
    /// <summary>Appends the rewritten text to an empty buffer. <paramref name="isFirst"/>: the text starts the input.</summary>
    public abstract void Apply(TextBuffer from, TextBuffer into, bool isFirst);

    /// <summary>False where the text would stay as it is and <see cref="Apply"/> need not be called.</summary>
    public virtual bool Changes(ReadOnlySpan<byte> text) => true;
}
