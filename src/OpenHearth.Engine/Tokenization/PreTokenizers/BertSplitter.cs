using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.PreTokenizers;

/// <summary>BERT's words: blanks are left out, each mark of punctuation is a piece.</summary>
internal sealed class BertSplitter : Splitter
{
    public override void Split(ReadOnlySpan<byte> text, int start, int end, CutList cuts)
    {
        var word = start;
        for (var at = start; at < end;)
        {
            var codePoint = CodePoints.Decode(text, at, out var length);
            var kind = CodePoints.Classify(codePoint);
            var isBlank = (kind & CharClass.White) != 0;
            if (isBlank || (kind & CharClass.Punctuation) != 0 || codePoint < 128 && (kind & CharClass.Symbol) != 0)
            {
                if (at > word)
                    cuts.Add(at);
                word = at + length;
                if (isBlank)
                    cuts.Drop(word);
                else
                    cuts.Add(word);
            }
            at += length;
        }
        if (end > word)
            cuts.Add(end);
    }
}
