using OpenHearth.Engine.Embeddings;
using OpenHearth.Engine.Weights;

namespace OpenHearth.Engine.Conversion;

/// <summary>A model as if it were in the other form already. What a forward pass doesn't ask for is the original's, or nothing.</summary>
/// <param name="original">The model as it is, which is not owned.</param>
internal abstract class PlannedSource(ModelSource original) : ModelSource
{
    public override string Path => original.Path;

    public override long FileBytes => original.FileBytes;

    public override IEnumerable<string> Files => original.Files;

    public override IEnumerable<KeyValuePair<string, string>> Metadata => [];

    public override string? ReadChatTemplate() => null;

    public override Pooling? FindPooling() => null;

    public override void Dispose()
    {
    }
}
