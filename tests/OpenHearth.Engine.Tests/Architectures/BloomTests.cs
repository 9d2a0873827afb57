namespace OpenHearth.Engine.Tests.Architectures;

public sealed class BloomTests() : ArchitectureTests("bloom/gguf", "bloom/safetensors");
