using OpenHearth.Engine.Files;
using OpenHearth.Engine.Files.Gguf;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Conversion;

/// <summary>A tensor of a GGUF file that is made of another: the same, or the stack of what older files have one by one, an expert each.</summary>
/// <param name="Name">The name that it gets.</param>
/// <param name="Parts">What it is made of, one after the other.</param>
/// <param name="Dimensions">The length of a row first.</param>
internal sealed record CopiedTensor(string Name, IReadOnlyList<GgufTensor> Parts, long[] Dimensions)
{
    /// <summary>How the first part is stored.</summary>
    public TensorType Type => Parts[0].Type;

    /// <summary>All tensors of a file, stacks where their first part is.</summary>
    /// <exception cref="ModelFormatException">A stack lacks an expert, has one too many, or they differ in shape.</exception>
    public static List<CopiedTensor> Of(GgufSource source)
    {
        var file = source.File;
        var experts = source.Parameters.FindInt("expert_count", "", 0) ?? 0;
        string Target(GgufTensor tensor) => experts > 0 && TensorNames.Stack(tensor.Name) is { } stack && !file.TryGetTensor(stack, out _) ? stack : tensor.Name;
        return [.. file.Tensors.GroupBy(Target).Select(parts => parts.First() is var first && first.Name == parts.Key
            ? new CopiedTensor(first.Name, [first], [.. first.Dimensions])
            : Stack(file, parts.Key, [.. parts], experts))];
    }

    /// <summary>Writes its numbers.</summary>
    /// <param name="type">How they are to be stored.</param>
    /// <param name="stream">Where they go.</param>
    public void Write(TensorType type, Stream stream)
    {
        foreach (var part in Parts)
        {
            if (part.Type == type)
                TensorSource.From(part.Data)(stream);
            else
                RowConversion.Write(part.Type, type, part.Dimensions[0], part.Data, stream);
        }
    }

    private static CopiedTensor Stack(GgufFile file, string name, GgufTensor[] found, int experts)
    {
        var parts = new List<GgufTensor>();
        for (var expert = 0; expert < experts; expert++)
        {
            var wanted = TensorNames.Gguf(name, expert);
            if (!file.TryGetTensor(wanted, out var part))
                throw new ModelFormatException($"{file.Path}: tensor {ModelFormatException.Quote(wanted)} is missing");
            // They need not be of one type: for some days in January 2024, llama.cpp gave every third more bits (its pull request 4927).
            if (part.Dimensions.Count != 2 || !part.Dimensions.SequenceEqual((parts.Count > 0 ? parts[0] : part).Dimensions) || !BlockFormats.TryGet(part.Type, out _))
                throw new ModelFormatException($"{file.Path}: tensor {ModelFormatException.Quote(wanted)} of type {part.Type} and shape [{string.Join(", ", part.Dimensions.Reverse())}] can't be stacked with the other experts");
            parts.Add(part);
        }
        return found.Length == experts
            ? new CopiedTensor(name, parts, [.. parts[0].Dimensions, experts])
            : throw new ModelFormatException($"{file.Path}: tensor {ModelFormatException.Quote(found.Except(parts).First().Name)} belongs to none of {experts} experts");
    }
}
