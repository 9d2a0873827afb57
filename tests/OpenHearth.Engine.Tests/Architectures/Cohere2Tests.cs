namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Cohere2Tests() : ArchitectureTests("cohere2/gguf", "cohere2/safetensors");
