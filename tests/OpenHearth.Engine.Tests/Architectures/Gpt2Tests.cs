namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Gpt2Tests() : ArchitectureTests("gpt2/gguf", "gpt2/safetensors");
