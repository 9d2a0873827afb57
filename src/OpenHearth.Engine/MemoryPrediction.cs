namespace OpenHearth.Engine;

/// <summary>Bytes that a model and one session of a given length take, by what for. Made by <see cref="Model.PredictMemory"/>.</summary>
/// <param name="Context">Tokens of the session.</param>
/// <param name="Weights">Tensors, most of them pages of the model's files, and what loading has made of some.</param>
/// <param name="Cache">Keys and values.</param>
/// <param name="State">Recurrent state, with the copies to go back to.</param>
/// <param name="Activations">Values of the nodes of the largest step.</param>
/// <param name="Workspaces">What attention and products work in; an upper bound.</param>
/// <param name="Program">The process as it is now: runtime, code, the model's description.</param>
public sealed record MemoryPrediction(int Context, long Weights, long Cache, long State, long Activations, long Workspaces, long Program)
{
    /// <summary>All of them.</summary>
    public long Total => Weights + Cache + State + Activations + Workspaces + Program;
}
