namespace OpenHearth.Engine.Tests.Architectures;

public sealed class StarCoder2Tests() : ArchitectureTests("starcoder2/gguf", "starcoder2/safetensors");
