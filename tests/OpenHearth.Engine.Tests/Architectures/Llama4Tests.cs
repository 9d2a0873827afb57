namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Llama4Tests() : ArchitectureTests("llama4/gguf", "llama4/safetensors", "llama4-chunked/safetensors");
