using OpenHearth.Engine.Architectures;
using OpenHearth.Engine.Files;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine;

/// <summary>
/// What a model's files say of it. Nothing is computed and no weight is read, so that it also describes vocabularies and
/// models of architectures that can't be run. Immutable.
/// </summary>
public sealed record ModelCard
{
    /// <summary>The name it gives itself, otherwise that of its file or folder.</summary>
    public required string Name { get; init; }

    /// <summary>The path it was read from.</summary>
    public required string Path { get; init; }

    /// <summary><c>GGUF</c> or <c>safetensors</c>.</summary>
    public required string Format { get; init; }

    /// <summary>The family, as the files name it.</summary>
    public required string Architecture { get; init; }

    /// <summary>True where this engine can run the family.</summary>
    public required bool IsSupported { get; init; }

    /// <summary>Number of weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Tokens of context that it was made for, where the files say so.</summary>
    public required int? ContextLength { get; init; }

    /// <summary>Number of layers, where the files say so.</summary>
    public required int? Layers { get; init; }

    /// <summary>Bytes on disk.</summary>
    public required long FileBytes { get; init; }

    /// <summary>The licence it names, or null.</summary>
    public required string? License { get; init; }

    /// <summary>The chat template, or null.</summary>
    public required string? ChatTemplate { get; init; }

    /// <summary>Number of tensors and of weights for each storage type, most weights first.</summary>
    public required IReadOnlyList<TensorTypeCount> TensorTypes { get; init; }

    /// <summary>Every key of the files with its value for people, long ones shortened.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; }

    /// <summary>Reads the card of a model.</summary>
    /// <param name="path">What <see cref="Model.Load(string, ModelOptions)"/> takes.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">It is no model, or damaged.</exception>
    public static ModelCard Read(string path)
    {
        using var source = ModelSource.Open(path);
        var types = source.CountTensorTypes();
        return new ModelCard
        {
            Name = source.DisplayName,
            Path = source.Path,
            Format = source.IsGguf ? "GGUF" : "safetensors",
            Architecture = source.ArchitectureNames is [var first, ..] ? first : "",
            IsSupported = ArchitectureRegistry.Knows(source),
            Parameters = types.Sum(type => type.Parameters),
            ContextLength = source.FindContextLength(),
            Layers = source.FindLayers(),
            FileBytes = source.FileBytes,
            License = source.License,
            ChatTemplate = source.ReadChatTemplate(),
            TensorTypes = types,
            Metadata = [.. source.Metadata],
        };
    }
}
