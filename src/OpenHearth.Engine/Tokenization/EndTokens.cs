using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization;

/// <summary>The names of tokens that end an answer, whatever a file says of their kind.</summary>
internal static class EndTokens
{
    private static readonly byte[][] Names = Array.ConvertAll(
        [
            "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<|endoftext|>",
            "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>",
            "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
        ],
        System.Text.Encoding.UTF8.GetBytes);

    /// <summary>True for such a name.</summary>
    public static bool Contains(ReadOnlySpan<byte> piece)
    {
        foreach (var name in Names)
        {
            if (piece.SequenceEqual(name))
                return true;
        }
        return false;
    }

    /// <summary>Such tokens of a vocabulary.</summary>
    public static HashSet<int> Find(Vocabulary vocabulary)
    {
        var ends = new HashSet<int>();
        foreach (var name in Names)
        {
            if (vocabulary.Find(name) is var id and >= 0 && vocabulary.Kind(id) == TokenKind.Control)
                ends.Add(id);
        }
        // In the Harmony format <|end|> ends a message, not the answer; where there are turns' ends, </s> is plain text.
        if (vocabulary.Find("<|end|>"u8) is var end && (Has("<|call|>"u8) && Has("<|return|>"u8) || Has("<|calls|>"u8) && Has("<|flush|>"u8)))
            ends.Remove(end);
        if (Has("<|tool_response>"u8))
            ends.Remove(vocabulary.Find("</s>"u8));
        return ends;

        bool Has(ReadOnlySpan<byte> name) => vocabulary.Find(name) is var id and >= 0 && ends.Contains(id);
    }
}
