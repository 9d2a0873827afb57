namespace OpenHearth.Engine.Tests.Architectures;

public sealed class LlamaTests() : ArchitectureTests(
    "llama/gguf", "llama/safetensors",
    "llama-rope-llama3-tied/gguf", "llama-rope-llama3-tied/safetensors",
    "llama-rope-yarn/gguf", "llama-rope-yarn/safetensors",
    "mistral-swa/safetensors",
    "mixtral/gguf", "mixtral/safetensors",
    "mixtral-split/gguf", "mixtral-split/safetensors",
    "zoo/gguf");
