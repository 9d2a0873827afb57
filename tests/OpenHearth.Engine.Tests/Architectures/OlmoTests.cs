namespace OpenHearth.Engine.Tests.Architectures;

public sealed class OlmoTests() : ArchitectureTests("olmo/gguf", "olmo/safetensors");
