namespace OpenHearth.Engine.Conversion;

/// <summary>How far a conversion is.</summary>
/// <param name="Tensor">The tensor that is being written.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct ConversionProgress(string Tensor, int Number, int Count);
