namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GemmaTests() : ArchitectureTests("gemma/gguf", "gemma/safetensors");
