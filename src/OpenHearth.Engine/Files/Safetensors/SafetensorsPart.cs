namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>One safetensors file as read; a sharded model has several.</summary>
internal sealed record SafetensorsPart(string Path, long FileBytes, Dictionary<string, string> Metadata, List<SafetensorsTensor> Tensors);
