namespace OpenHearth.Engine.Files.Gguf;

/// <summary>One GGUF file as read; a split file has several.</summary>
internal sealed record GgufPart(GgufBytes Bytes, int Version, GgufMetadata Metadata, List<GgufTensor> Tensors);
