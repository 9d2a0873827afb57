namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GraniteTests() : ArchitectureTests("granite/gguf", "granite/safetensors");
