namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Gemma2Tests() : ArchitectureTests(
    "gemma2/gguf", "gemma2/safetensors", "gemma2-scale/safetensors", "gemma3/gguf", "gemma3/safetensors");
