namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GptNeoXTests() : ArchitectureTests("gpt-neox/safetensors");
