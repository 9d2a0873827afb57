using System.Text;

namespace OpenHearth.Engine.Tokenization;

/// <summary>Collects what WordPiece tokens decode to: a blank before each word.</summary>
/// <param name="expected">Number of tokens.</param>
/// <param name="cleansUp">No blank before full stops, commas and the like, as Hugging Face's clean-up has it.</param>
internal sealed class WordPieceDecoderBuilder(int expected, bool cleansUp)
{
    private static readonly (string From, string To)[] CleanUps =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    private readonly TokenDecoderBuilder _tokens = new(expected);

    /// <summary>Adds the next token: the start of a word, or its continuation without the prefix.</summary>
    public void Add(ReadOnlySpan<byte> piece, bool startsWord)
    {
        if (!startsWord && !cleansUp)
        {
            _tokens.Add(piece);
            return;
        }
        var text = (startsWord ? " " : "") + Encoding.UTF8.GetString(piece);
        if (cleansUp)
        {
            foreach (var (from, to) in CleanUps)
                text = text.Replace(from, to, StringComparison.Ordinal);
        }
        _tokens.Add(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The decoder.</summary>
    public TokenDecoder Build() => _tokens.Build(BlankStripping.One);
}
