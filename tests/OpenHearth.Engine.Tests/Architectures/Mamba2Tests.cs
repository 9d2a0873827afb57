namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Mamba2Tests() : ArchitectureTests("mamba2/gguf", "mamba2/safetensors");
