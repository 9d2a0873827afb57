using OpenHearth.Engine.Profiling;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Graph;

/// <summary>What the rows of a node stand for.</summary>
internal enum RowAxis
{
    /// <summary>One row for each token of the step.</summary>
    Tokens,

    /// <summary>One row for each token whose result was asked for.</summary>
    Outputs,
}

/// <summary>
/// One value of the forward pass: an op applied to other values. Its shape is [rows, width]; the number of rows is known
/// when a step runs, heads are an interpretation of the width.
/// </summary>
internal abstract class Node(int width, RowAxis rows, params Node[] inputs)
{
    /// <summary>Place in the graph, set by the builder; inputs come before.</summary>
    public int Id { get; set; } = -1;

    /// <summary>Values a row.</summary>
    public int Width { get; } = width;

    /// <summary>What rows stand for.</summary>
    public RowAxis Rows { get; } = rows;

    /// <summary>The values this one is computed from.</summary>
    public Node[] Inputs { get; } = inputs;

    /// <summary>True where the result may be written over this input, if nobody reads it afterwards and its shape is the same.</summary>
    public virtual bool MayOverwrite(Node input) => false;

    /// <summary>Floats a row that <see cref="Forward"/> needs to work in, from <see cref="StepContext.Scratch"/>.</summary>
    public virtual int ScratchWidth => 0;

    /// <summary>Matrices of the model that the inputs are multiplied with; a profile tells ops apart by them.</summary>
    public virtual IEnumerable<Weight> Matrices => [];

    /// <summary>What a step has to do for this node. Allocates: for profiles.</summary>
    public virtual Work Work(StepContext step)
    {
        var rows = step.Rows(this);
        return Matrices.Aggregate(default(Work), (sum, weight) => sum + weight.Product(rows));
    }

    /// <summary>Computes the value for the rows of a step into its buffer.</summary>
    public abstract void Forward(StepContext step);
}
