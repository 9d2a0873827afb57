namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Qwen3Tests() : ArchitectureTests(
    "qwen3/gguf", "qwen3/safetensors", "qwen3moe/gguf", "qwen3moe/safetensors");
