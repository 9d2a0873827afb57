namespace OpenHearth.Engine.Tests.Architectures;

public sealed class KimiLinearTests() : ArchitectureTests("kimi-linear/safetensors");
