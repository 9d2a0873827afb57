namespace OpenHearth.Engine.Tests.Architectures;

public sealed class Glm4MoeTests() : ArchitectureTests("glm4moe/gguf", "glm4moe/safetensors");
