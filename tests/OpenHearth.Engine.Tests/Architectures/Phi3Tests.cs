namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Phi3Tests() : ArchitectureTests("phi3/gguf", "phi3/safetensors");
