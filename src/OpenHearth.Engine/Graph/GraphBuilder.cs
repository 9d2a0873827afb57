using OpenHearth.Engine.Files;
using OpenHearth.Engine.KvCache;
using OpenHearth.Engine.Weights;
using OpenHearth.Kernels.Attention;

namespace OpenHearth.Engine.Graph;

/// <summary>
/// What an architecture writes its forward pass against. Every op adds its own method here as an extension
/// (<c>GraphOps</c>, in the op's file), and asks <see cref="Weights"/> for the tensors that it names.
/// </summary>
internal sealed class GraphBuilder(ModelWeights weights)
{
    private readonly List<Node> _nodes = [];
    private readonly List<AttentionShape> _attention = [];
    private readonly List<int> _states = [];

    /// <summary>The model's tensors, by canonical name.</summary>
    public ModelWeights Weights { get; } = weights;

    /// <summary>All nodes so far, inputs before users.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>True for a decoder that is an embedding model: the graph ends before the scores of the vocabulary.</summary>
    public bool GivesHidden { get; init; }

    /// <summary>What the scores of the vocabulary are computed from, once there are such.</summary>
    public Node? BeforeHead { get; set; }

    /// <summary>Adds a node.</summary>
    public Node Add(Node node)
    {
        node.Id = _nodes.Count;
        _nodes.Add(node);
        return node;
    }

    /// <summary>Room in the cache for the keys and values of one attention layer.</summary>
    public CacheSlot AddCache(AttentionShape shape)
    {
        _attention.Add(shape);
        return new CacheSlot(_attention.Count - 1);
    }

    /// <summary>Room for <paramref name="length"/> floats that one layer carries from token to token of a sequence; zero at its start.</summary>
    /// <exception cref="ModelFormatException">A sequence would carry more than 8 GiB.</exception>
    public StateSlot AddState(long length)
    {
        var first = _states.Sum();
        if (length > int.MaxValue - first)
            throw new ModelFormatException($"{Weights.Path}: the recurrent state of a sequence would take more than {int.MaxValue} numbers");
        var slot = new StateSlot(first, (int)length);
        _states.Add(slot.Length);
        return slot;
    }

    /// <summary>Ends the graph.</summary>
    /// <param name="output">The result of the model.</param>
    /// <param name="kind">What it is.</param>
    public ModelGraph Build(Node output, OutputKind kind = OutputKind.Logits) => GivesHidden && BeforeHead is { } hidden
        ? new ModelGraph(_nodes[..(hidden.Id + 1)], hidden, OutputKind.Hidden, _attention, _states.Sum())
        : new ModelGraph(_nodes, output, kind, _attention, _states.Sum());
}
