using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OpenHearth.Cli.Commands;

/// <summary>Numbers in a file.</summary>
internal static class LittleEndian
{
    private const int Piece = 1 << 14;

    /// <summary>Writes F32 values, lowest byte first on any computer.</summary>
    public static void Write(Stream output, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            for (; !values.IsEmpty; values = values[Math.Min(Piece, values.Length)..])
                output.Write(MemoryMarshal.AsBytes(values[..Math.Min(Piece, values.Length)]));
            return;
        }
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        foreach (var value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            output.Write(bytes);
        }
    }
}
