using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Threading;

/// <summary>Memory for intermediate results that grows to the largest size asked for and then stays, so that a step allocates nothing.</summary>
/// <remarks>Not thread-safe: a thread uses its own.</remarks>
internal sealed unsafe class Workspace : IDisposable
{
    private NativeBuffer<byte>? _buffer;

    /// <summary>Room for <paramref name="bytes"/> bytes, 64-byte aligned, with whatever was in it; valid until the next call.</summary>
    public byte* Get(long bytes)
    {
        if (_buffer is null || _buffer.Length < bytes)
        {
            _buffer?.Dispose();
            _buffer = null;
            _buffer = new NativeBuffer<byte>((bytes + 4095) / 4096 * 4096);
        }
        return _buffer.Pointer;
    }

    public void Dispose() => _buffer?.Dispose();
}
