namespace OpenHearth.Kernels.Threading;

/// <summary>Work that splits into equal contiguous parts; a struct, so that running it allocates nothing.</summary>
public interface IJob
{
    /// <summary>Does part <paramref name="part"/> of <paramref name="parts"/>; called once for each part, in parallel.</summary>
    void Execute(int part, int parts);
}
