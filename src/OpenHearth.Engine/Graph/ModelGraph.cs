using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Graph;

/// <summary>What a model gives for a token.</summary>
public enum OutputKind
{
    /// <summary>A score for every entry of the vocabulary.</summary>
    Logits,

    /// <summary>The last hidden state.</summary>
    Hidden,
}

/// <summary>A model's forward pass, declared once: inference plans it, training differentiates it.</summary>
/// <param name="Nodes">Inputs before users; <see cref="Node.Id"/> is the index.</param>
/// <param name="Output">The result.</param>
/// <param name="Kind">What the result is.</param>
/// <param name="Attention">The attention layers, by cache slot.</param>
/// <param name="StateLength">Floats of recurrent state that a sequence carries.</param>
internal sealed record ModelGraph(IReadOnlyList<Node> Nodes, Node Output, OutputKind Kind, IReadOnlyList<AttentionShape> Attention, int StateLength)
{
    /// <summary>True where tokens see those after them: all of a text must go through the model in one step.</summary>
    public bool SeesAhead { get; } = Attention.Any(shape => !shape.Causal);
}
