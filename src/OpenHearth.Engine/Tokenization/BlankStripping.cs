namespace OpenHearth.Engine.Tokenization;

/// <summary>How many blanks decoding leaves out at the start of a text.</summary>
internal enum BlankStripping
{
    None,
    One,
    All,
}
