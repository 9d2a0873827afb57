using OpenHearth.Engine.Embeddings;

namespace OpenHearth.Engine;

/// <summary>What there is to know of a model without running it.</summary>
public sealed record ModelInfo
{
    /// <summary>The name it gives itself, otherwise that of its file or folder.</summary>
    public required string Name { get; init; }

    /// <summary>The path it was loaded from.</summary>
    public required string Path { get; init; }

    /// <summary>The family, by its name in GGUF files.</summary>
    public required string Architecture { get; init; }

    /// <summary>Number of weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Tokens of context that it was made for.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Entries of the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Values of a row of its result: the vocabulary's size, or the width of an encoder.</summary>
    public required int OutputWidth { get; init; }

    /// <summary>True where the result is scores of the vocabulary, false where it is hidden states.</summary>
    public required bool GivesLogits { get; init; }

    /// <summary>How an encoder's rows become one vector; null where the model doesn't say.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Bytes on disk.</summary>
    public required long FileBytes { get; init; }

    /// <summary>The licence it names, or null.</summary>
    public required string? License { get; init; }

    /// <summary>Number of tensors and of weights for each storage type, most weights first.</summary>
    public required IReadOnlyList<TensorTypeCount> TensorTypes { get; init; }
}

/// <summary>How much of a model is stored in a type.</summary>
/// <param name="Type">ggml's name of the type.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Parameters">Number of weights in them.</param>
public sealed record TensorTypeCount(string Type, int Tensors, long Parameters);
