using System.Globalization;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// One part's place in a split file: keys <c>split.no</c> (from 0), <c>split.count</c> and <c>split.tensors.count</c>,
/// and names that end in <c>-00001-of-00003.gguf</c> (from 1).
/// </summary>
internal sealed record GgufSplit(string Path, long Number, long Count, long? Tensors)
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorsKey = "split.tensors.count";

    /// <summary>Null for a file that is not split.</summary>
    public static GgufSplit? Of(GgufPart part)
    {
        if (part.Metadata.FindInteger(CountKey) is not { } count || count <= 1)
            return null;
        var number = part.Metadata.FindInteger(NumberKey) ?? throw part.Metadata.Missing(NumberKey);
        if (count > ushort.MaxValue || number < 0 || number >= count)
            throw new ModelFormatException($"{part.Bytes.Path}: metadata '{NumberKey}' is {number} and '{CountKey}' is {count}; the first must be below the second, and that at most {ushort.MaxValue}");
        return new GgufSplit(part.Bytes.Path, number, count, part.Metadata.FindInteger(TensorsKey));
    }

    /// <summary>All parts in order, <paramref name="named"/> among them.</summary>
    /// <exception cref="ModelFormatException">A part is missing or is not the part that its name says.</exception>
    public List<GgufPart> Open(GgufPart named, Func<string, GgufPart> open)
    {
        var suffix = Suffix(Number, Count);
        if (!Path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            throw Unnamed();
        var stem = Path[..^suffix.Length];
        for (var i = 0; i < Count; i++)
        {
            if (!File.Exists(stem + Suffix(i, Count)))
                throw new ModelFormatException($"{Path}: part {i + 1} of {Count} is missing; it was looked for at {stem}{Suffix(i, Count)}");
        }
        List<GgufPart> parts = [];
        for (var i = 0; i < Count; i++)
        {
            var part = i == Number ? named : open(stem + Suffix(i, Count));
            var split = Of(part);
            if (split is null || split.Number != i || split.Count != Count)
                throw new ModelFormatException($"{part.Bytes.Path}: by metadata '{NumberKey}' and '{CountKey}' it is {(split is null ? "no part of a split" : $"part {split.Number + 1} of {split.Count}")}, by its name part {i + 1} of {Count}");
            parts.Add(part);
        }
        var tensors = parts.Sum(part => part.Tensors.Count);
        return Tensors is null || Tensors == tensors
            ? parts
            : throw new ModelFormatException($"{Path}: metadata '{TensorsKey}' is {Tensors}, but the {Count} parts have {tensors} tensors");
    }

    /// <summary>A part whose name doesn't tell the others' names.</summary>
    public ModelFormatException Unnamed() =>
        new($"{Path}: by metadata '{NumberKey}' it is part {Number + 1} of {Count}, so its name must end in {Suffix(Number, Count)} and the other parts must lie beside it");

    private static string Suffix(long number, long count) =>
        string.Create(CultureInfo.InvariantCulture, $"-{number + 1:D5}-of-{count:D5}.gguf");
}
