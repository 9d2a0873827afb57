using System.Text;
using OpenHearth.Engine.Tokenization;

namespace OpenHearth.Engine.Generation;

/// <summary>
/// Keeps what a user writes from being read as the marks of a chat template: <c>&lt;|im_end|&gt;</c> in a message is text, else
/// anybody could speak as the system. Such places are marked before the template sees the message, and what lies between
/// the marks is tokenized as plain text afterwards.
/// </summary>
internal static class UserText
{
    // Noncharacters, which Unicode reserves for the inside of a program.
    private const char Begin = '\uFDD0';
    private const char End = '\uFDD1';

    /// <summary>Marks the special tokens in a message; text without any comes back as it is.</summary>
    public static string Mark(Tokenizer tokenizer, string text)
    {
        if (text.AsSpan().IndexOfAny(Begin, End) >= 0)
            text = text.Replace(Begin, '\uFFFD').Replace(End, '\uFFFD');
        var tokens = tokenizer.EncodeWithOffsets(text, new EncodeOptions(AddSpecial: false, ParseSpecial: true));
        if (!tokens.Ids.Any(tokenizer.IsSpecial))
            return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        var marked = new StringBuilder(text.Length + 2);
        var from = 0;
        for (var i = 0; i < tokens.Ids.Count; i++)
        {
            var (start, end) = tokens.Offsets[i];
            if (!tokenizer.IsSpecial(tokens.Ids[i]) || end <= start)
                continue;
            marked.Append(Encoding.UTF8.GetString(bytes, from, start - from)).Append(Begin);
            marked.Append(Encoding.UTF8.GetString(bytes, start, end - start)).Append(End);
            from = end;
        }
        return marked.Append(Encoding.UTF8.GetString(bytes, from, bytes.Length - from)).ToString();
    }

    /// <summary>The ids of a rendered prompt; special tokens count everywhere but between marks.</summary>
    public static int[] Encode(Tokenizer tokenizer, string prompt)
    {
        if (!prompt.Contains(Begin, StringComparison.Ordinal))
            return tokenizer.Encode(prompt, addSpecial: false, parseSpecial: true);
        var ids = new List<int>();
        var isPlain = false;
        for (var rest = prompt.AsSpan(); ; isPlain = !isPlain)
        {
            var next = rest.IndexOfAny(Begin, End);
            var piece = next < 0 ? rest : rest[..next];
            tokenizer.Encode(piece, ids, new EncodeOptions(AddSpecial: false, ParseSpecial: !isPlain));
            if (next < 0)
                return [.. ids];
            rest = rest[(next + 1)..];
        }
    }
}
