namespace OpenHearth.Engine.Tests.Architectures;

public sealed class StableLmTests() : ArchitectureTests("stablelm/gguf", "stablelm/safetensors");
