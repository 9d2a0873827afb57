namespace OpenHearth.Kernels.Threading;

/// <summary>Work that splits into parts; a struct, so that running it allocates nothing.</summary>
public interface IJob
{
    /// <summary>Does part <paramref name="part"/> of <paramref name="parts"/>; called once for each part, in parallel and in any order.</summary>
    void Execute(int part, int parts);
}
