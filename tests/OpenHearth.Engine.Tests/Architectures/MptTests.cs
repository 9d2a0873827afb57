namespace OpenHearth.Engine.Tests.Architectures;

public sealed class MptTests() : ArchitectureTests("mpt/gguf", "mpt/safetensors");
