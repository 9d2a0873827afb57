using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Weights;

/// <summary>A matrix of the model. Two ops that name the same one share it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Matrix">[outputs, inputs]</param>
/// <param name="Scale">What every result of a product is multiplied by: the one scale of a ternary tensor, otherwise 1.</param>
internal sealed record Weight(string Name, Matrix Matrix, float Scale = 1);
