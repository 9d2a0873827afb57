using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files;

/// <summary>A tensor to be written: what a file says about it, and who writes its bytes when their turn comes.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">How the numbers are stored.</param>
/// <param name="Shape">The dimensions, in the file's own order.</param>
/// <param name="Length">Bytes of the data.</param>
/// <param name="Write">Writes exactly <paramref name="Length"/> bytes, little-endian.</param>
internal sealed record TensorSource(string Name, TensorType Type, long[] Shape, long Length, Action<Stream> Write)
{
    /// <summary>Writes a region piece by piece.</summary>
    public static Action<Stream> From(MemoryRegion data) => stream =>
    {
        const int Step = 1 << 20;
        for (var done = 0L; done < data.Length; done += Step)
            stream.Write(data.Span(done, (int)Math.Min(Step, data.Length - done)));
    };

    /// <summary>Writes the data to <paramref name="target"/> and checks its length.</summary>
    /// <exception cref="InvalidOperationException">The source wrote more or less than it said.</exception>
    public void WriteTo(Stream target, bool swap, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var sink = new TensorSink(target, this, swap, cancellation);
        Write(sink);
        sink.Complete();
    }
}
