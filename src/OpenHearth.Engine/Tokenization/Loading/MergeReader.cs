using OpenHearth.Engine.Files;
using OpenHearth.Engine.Tokenization.Models;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Reads merges that are written as two pieces with a blank between them.</summary>
internal static class MergeReader
{
    /// <summary>Adds one merge. <paramref name="buffer"/> has room for one byte more than the longest piece.</summary>
    /// <exception cref="ModelFormatException">It has no blank, or names a token that is not in the vocabulary.</exception>
    public static void Add(MergeTable table, Vocabulary vocabulary, ReadOnlySpan<byte> merge, Span<byte> buffer, string field)
    {
        var blank = merge.Length > 2 ? merge[1..].IndexOf((byte)' ') + 1 : 0;
        if (blank == 0)
            throw new ModelFormatException($"{field}: '{Vocabulary.Shown(merge)}' is not two pieces with a blank between them.");
        Add(table, vocabulary, merge[..blank], merge[(blank + 1)..], buffer, field);
    }

    /// <summary>Adds the merge of two pieces.</summary>
    /// <exception cref="ModelFormatException">It names a token that is not in the vocabulary.</exception>
    public static void Add(MergeTable table, Vocabulary vocabulary, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> buffer, string field)
    {
        var (leftId, rightId) = (vocabulary.Require(left, field), vocabulary.Require(right, field));
        var length = left.Length + right.Length;
        if (length > vocabulary.MaxPieceLength)
            throw new ModelFormatException($"{field}: '{Vocabulary.Shown(left)}' and '{Vocabulary.Shown(right)}' give no token of the vocabulary.");
        left.CopyTo(buffer);
        right.CopyTo(buffer[left.Length..]);
        // Most vocabularies list what merges give in the order of the merges.
        var next = table.Count > 0 ? table.Result(table.Count - 1) + 1 : 0;
        var isNext = next < vocabulary.Count && vocabulary.Piece(next).SequenceEqual(buffer[..length]);
        table.Add(leftId, rightId, isNext ? next : vocabulary.Require(buffer[..length], field));
    }
}
