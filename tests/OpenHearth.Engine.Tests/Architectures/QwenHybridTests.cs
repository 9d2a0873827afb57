namespace OpenHearth.Engine.Tests.Architectures;

public sealed class QwenHybridTests() : ArchitectureTests(
    "qwen3next/gguf", "qwen3next/safetensors", "qwen3.5/safetensors", "qwen3.5moe/gguf", "qwen3.5moe/safetensors");
