using OpenHearth.Engine.Files;
using OpenHearth.Kernels.Elementwise;

namespace OpenHearth.Engine.Architectures;

/// <summary>The names that <c>config.json</c> has for the functions of feed-forward blocks.</summary>
internal static class ActivationNames
{
    /// <summary>The function that a model names.</summary>
    /// <param name="p">What the model says of itself.</param>
    /// <param name="huggingFace">The key.</param>
    /// <param name="fallback">Where it doesn't say.</param>
    /// <param name="gguf">The key of GGUF files; most families have none.</param>
    /// <exception cref="ModelFormatException">The name is not known.</exception>
    public static ActivationKind Read(HyperParameters p, string huggingFace, ActivationKind fallback, string gguf = "") => p.FindText(gguf, huggingFace) switch
    {
        null => fallback,
        "silu" or "swish" => ActivationKind.Silu,
        "gelu" => ActivationKind.Gelu,
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => ActivationKind.GeluTanh,
        "relu" => ActivationKind.Relu,
        "relu2" => ActivationKind.ReluSquared,
        var name => throw p.Wrong(gguf, huggingFace, ModelFormatException.Quote(name)),
    };
}
