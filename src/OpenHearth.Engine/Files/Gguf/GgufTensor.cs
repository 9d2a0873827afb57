using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>A tensor of a GGUF file. Thread-safe; its data lives as long as the file is open.</summary>
public sealed class GgufTensor
{
    private readonly GgufBytes _bytes;
    private readonly long _length;
    private NativeBuffer<byte>? _swapped;

    internal GgufTensor(GgufBytes bytes, string name, TensorType type, long[] dimensions, long offset, long length)
    {
        _bytes = bytes;
        Name = name;
        Type = type;
        Dimensions = dimensions;
        Offset = offset;
        _length = length;
    }

    /// <summary>The name, unique in the file.</summary>
    public string Name { get; }

    /// <summary>How the numbers are stored.</summary>
    public TensorType Type { get; }

    /// <summary>The dimensions in ggml's order: the length of a row first.</summary>
    public IReadOnlyList<long> Dimensions { get; }

    /// <summary>Where the data starts in its file.</summary>
    public long Offset { get; }

    /// <summary>The file, or the part of a split file, that has the tensor.</summary>
    public string Path => _bytes.Path;

    /// <summary>Bytes of the data.</summary>
    public long ByteLength => _length;

    /// <summary>
    /// The data, little-endian: a part of the mapped file. The tensors of a big-endian file are copied and swapped
    /// when first asked for; the copy is freed with the file.
    /// </summary>
    public MemoryRegion Data => _bytes.BigEndian && ByteOrder.Matters(Type) ? Swapped() : _bytes.Slice(Offset, _length);

    internal void Release() => _swapped?.Dispose();

    private MemoryRegion Swapped()
    {
        lock (_bytes)
        {
            if (_swapped is null)
            {
                var copy = new NativeBuffer<byte>(_length);
                // Piece by piece, because a tensor may be longer than a span.
                var step = ByteOrder.WholeBlocks(Type, 1 << 24);
                for (var done = 0L; done < _length; done += step)
                {
                    var piece = copy.Slice(done, (int)Math.Min(step, _length - done));
                    _bytes.Span(Offset + done, piece.Length).CopyTo(piece);
                    ByteOrder.Swap(Type, piece, last: done + piece.Length == _length);
                }
                _swapped = copy;
            }
            return MemoryRegion.Of(_swapped);
        }
    }
}
