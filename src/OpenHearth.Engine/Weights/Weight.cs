using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Weights;

/// <summary>A matrix of the model. Two ops that name the same one share it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Matrix">[outputs, inputs]</param>
internal sealed record Weight(string Name, Matrix Matrix);
