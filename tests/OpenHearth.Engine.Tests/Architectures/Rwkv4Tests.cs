namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Rwkv4Tests() : ArchitectureTests("rwkv4/safetensors");
