using OpenHearth.Engine.Tokenization.Text;

namespace OpenHearth.Engine.Tokenization.Models;

/// <summary>Byte-pair encoding of tokenizer.json over characters, with ranked merges (Llama 2, Gemma). Thread-safe.</summary>
internal sealed class CharacterBpe(Vocabulary vocabulary, MergeTable merges, ByteFallback fallback, bool takesWholeWords) : CachedModel
{
    protected override void Compute(Workspace work, ReadOnlySpan<byte> piece)
    {
        var into = work.Piece;
        into.Clear();
        if (takesWholeWords && vocabulary.Find(piece) is var whole and >= 0)
        {
            into.Add(new Token(whole, piece.Length));
            return;
        }
        for (var at = 0; at < piece.Length;)
        {
            var length = CodePoints.LengthFrom(piece[at]);
            var character = piece.Slice(at, length);
            if (vocabulary.Find(character) is var id and >= 0)
                into.Add(new Token(id, length));
            else
                fallback.Append(character, into);
            at += length;
        }
        var queue = work.Queue;
        queue.Clear();
        for (var i = 0; i < into.Count; i++)
            queue.Add(into[i].Id, into[i].Length);
        queue.Merge(new MergeTable.Pairs(merges));
        into.Clear();
        for (var i = 0; i < queue.Count; i++)
            into.Add(queue[i]);
    }
}
