namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Olmo2Tests() : ArchitectureTests(
    "olmo2/gguf", "olmo2/safetensors", "olmo3/gguf", "olmo3/safetensors");
