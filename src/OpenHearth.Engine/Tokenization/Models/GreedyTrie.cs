using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>RWKV's tokenizer: at each byte the longest token. Thread-safe.</summary>
/// <param name="trie">The bytes of all tokens.</param>
/// <param name="unknown">The token of a byte that starts none, or -1: it is left out.</param>
internal sealed class GreedyTrie(ByteTrie trie, int unknown) : TokenModel
{
    public override void Encode(Workspace work, TextBuffer text, int start, int end)
    {
        for (var at = start; at < end;)
        {
            var length = trie.Longest(text.Span[at..end], out var id);
            if (length == 0)
                (length, id) = (1, unknown);
            if (id >= 0)
                work.Tokens.Add(new Token(id, length), text, at);
            at += length;
        }
    }
}
