namespace OpenHearth.Engine.Tests.Architectures;

public sealed class ModernBertTests() : ArchitectureTests("modernbert/safetensors");
