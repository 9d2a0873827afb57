namespace OpenHearth.Engine.Tests.Architectures;

public sealed class BitNetTests() : ArchitectureTests("bitnet/safetensors");
