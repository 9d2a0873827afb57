namespace OpenHearth.Engine.Tokenization;

/// <summary>How text becomes ids.</summary>
/// <param name="AddSpecial">Add what the model wants before and after a text: BOS, EOS, CLS, SEP.</param>
/// <param name="ParseSpecial">Read special tokens such as <c>&lt;|im_end|&gt;</c> in the text. Never for text from strangers.</param>
public readonly record struct EncodeOptions(bool AddSpecial = true, bool ParseSpecial = false);
