namespace OpenHearth.Engine.Tests.Architectures;

public sealed class FalconTests() : ArchitectureTests(
    "falcon-7b-style/gguf", "falcon-7b-style/safetensors",
    "falcon-40b-style-dev/gguf", "falcon-40b-style-dev/safetensors");
