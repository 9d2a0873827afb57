namespace OpenHearth.Engine.Profiling;

/// <summary>What an op must do in a step, whatever its kernels do.</summary>
/// <param name="Bytes">Bytes of weights, or of the cache, that are read.</param>
/// <param name="MultiplyAdds">Multiplications with an addition.</param>
internal readonly record struct Work(long Bytes, long MultiplyAdds)
{
    public static Work operator +(Work a, Work b) => new(a.Bytes + b.Bytes, a.MultiplyAdds + b.MultiplyAdds);
}
