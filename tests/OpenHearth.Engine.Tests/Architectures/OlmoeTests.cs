namespace OpenHearth.Engine.Tests.Architectures;

public sealed class OlmoeTests() : ArchitectureTests("olmoe/gguf", "olmoe/safetensors");
