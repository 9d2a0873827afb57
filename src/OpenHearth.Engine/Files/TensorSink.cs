using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.Files;

/// <summary>Counts the bytes of one tensor on their way into a file and swaps them, block by block, where the file is big-endian.</summary>
internal sealed class TensorSink(Stream target, TensorSource tensor, bool swap, CancellationToken cancellation) : Stream
{
    // Whole blocks that wait to be swapped. The tail of an I2_S tensor is as long as its blocks, so no piece cuts it.
    private readonly byte[] _piece = swap && ByteOrder.Matters(tensor.Type) ? new byte[ByteOrder.WholeBlocks(tensor.Type, 1 << 16)] : [];
    private long _written;
    private int _held;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        if (buffer.Length > tensor.Length - _written)
            throw new InvalidOperationException($"More than the {tensor.Length} bytes of tensor {tensor.Name} were written.");
        _written += buffer.Length;
        if (_piece.Length == 0)
        {
            target.Write(buffer);
            return;
        }
        while (!buffer.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, _piece.Length - _held);
            buffer[..taken].CopyTo(_piece.AsSpan(_held));
            buffer = buffer[taken..];
            _held += taken;
            if (_held == _piece.Length)
                FlushPiece(last: buffer.IsEmpty && _written == tensor.Length);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Writes what is held; the tensor must be whole.</summary>
    public void Complete()
    {
        if (_written != tensor.Length)
            throw new InvalidOperationException($"{_written} of the {tensor.Length} bytes of tensor {tensor.Name} were written.");
        if (_held > 0)
            FlushPiece(last: true);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void FlushPiece(bool last)
    {
        var piece = _piece.AsSpan(0, _held);
        ByteOrder.Swap(tensor.Type, piece, last);
        target.Write(piece);
        _held = 0;
    }
}
