namespace OpenHearth.Engine.Tests.Architectures;

public sealed class MiniMaxM2Tests() : ArchitectureTests("minimax-m2/safetensors");
