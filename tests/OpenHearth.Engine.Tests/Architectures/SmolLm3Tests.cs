namespace OpenHearth.Engine.Tests.Architectures;

public sealed class SmolLm3Tests() : ArchitectureTests("smollm3/gguf", "smollm3/safetensors");
