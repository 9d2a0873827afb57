namespace OpenHearth.Engine.Tests.Architectures;

public sealed class PhiMoeTests() : ArchitectureTests("phimoe/safetensors");
