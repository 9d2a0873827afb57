using OpenHearth.Engine.Profiling;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul;

namespace OpenHearth.Engine.Weights;

/// <summary>A matrix of the model. Two ops that name the same one share it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Matrix">[outputs, inputs]</param>
/// <param name="Scale">What every result of a product is multiplied by: the one scale of a ternary tensor, otherwise 1.</param>
internal sealed record Weight(string Name, Matrix Matrix, float Scale = 1)
{
    /// <summary>What a product of this matrix with some rows of activations takes.</summary>
    public Work Product(int rows) => rows == 0
        ? default
        : new Work(Matrix.Rows * TensorTypes.RowBytes(Matrix.Type, Matrix.Columns), (long)rows * Matrix.Rows * Matrix.Columns);
}
