namespace OpenHearth.Engine.Tests.Architectures;

public sealed class BertTests() : ArchitectureTests("bert/gguf", "bert/safetensors", "xlm-roberta/gguf", "xlm-roberta/safetensors");
