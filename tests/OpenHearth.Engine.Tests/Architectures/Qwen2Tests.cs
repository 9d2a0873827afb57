namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Qwen2Tests() : ArchitectureTests(
    "qwen2/gguf", "qwen2/safetensors", "qwen2moe/gguf", "qwen2moe/safetensors");
