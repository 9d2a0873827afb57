namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Lfm2Tests() : ArchitectureTests("lfm2/gguf", "lfm2/safetensors");
