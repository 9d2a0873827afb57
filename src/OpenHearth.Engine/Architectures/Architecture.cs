using OpenHearth.Engine.Graph;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Architectures;

/// <summary>A model family, declared once. Stateless; an instance serves all models of the family.</summary>
internal abstract class Architecture
{
    /// <summary>How tensors are called in the Hugging Face form.</summary>
    public virtual TensorNames Names(HyperParameters p) => TensorNames.Llama();

    /// <summary>The same for writing a GGUF file, where that has heads in another order (see <see cref="Kernels.Recurrence.LinearAttentionShape.Interleaved"/>): transforms bring them into it.</summary>
    public virtual TensorNames GgufNames(HyperParameters p) => Names(p);

    /// <summary>Why models of the family can't be GGUF files, and what to do instead; null where they can.</summary>
    public virtual string? WhyNoGguf => null;

    /// <summary>Writes the forward pass.</summary>
    /// <param name="g">What it is written against; its weights have the tensors.</param>
    /// <param name="p">What the model says of itself.</param>
    /// <exception cref="Files.ModelFormatException">A key or tensor is missing or makes no sense.</exception>
    public abstract ModelGraph Build(GraphBuilder g, HyperParameters p);
}
