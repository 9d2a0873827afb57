namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>Cuts at a fixed text.</summary>
internal sealed class TextSplitter(byte[] pattern) : PatternSplitter
{
    protected override int Match(ReadOnlySpan<byte> text) => text.StartsWith(pattern) ? pattern.Length : 0;
}
