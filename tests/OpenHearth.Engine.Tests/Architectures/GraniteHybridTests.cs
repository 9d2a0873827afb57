namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GraniteHybridTests() : ArchitectureTests("granite-hybrid/safetensors");
