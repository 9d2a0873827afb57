namespace OpenHearth.Engine.Tests.Architectures;

public sealed class GptOssTests() : ArchitectureTests("gpt-oss/safetensors", "gpt-oss-truncate/gguf", "gpt-oss-truncate/safetensors");
