using System.Buffers.Binary;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Kernels.Formats.HuggingFace;

/// <summary>
/// Small unsigned integers in a matrix of little-endian 32-bit words [height, width]. They follow one another along one
/// axis, the lowest bits first; those whose width does not divide 32 run on into the next word.
/// </summary>
internal readonly unsafe struct PackedIntegers
{
    private readonly uint* _words;
    private readonly int _width;
    private readonly int _bits;
    private readonly bool _down;

    /// <summary>Describes packed integers.</summary>
    /// <param name="tensor">Its name in errors.</param>
    /// <param name="words">[height, width] of 32 bits</param>
    /// <param name="bits">Of one integer: 1 to 8.</param>
    /// <param name="down">Whether integers follow one another down a column of words, or along a row.</param>
    /// <param name="lines">Columns of words, or rows.</param>
    /// <param name="length">Integers of one column, or row.</param>
    /// <param name="width">Words of a row.</param>
    /// <exception cref="ArgumentException">There are too few words.</exception>
    public PackedIntegers(string tensor, MemoryRegion words, int bits, bool down, int lines, int length, int width)
    {
        var along = WordsOf(length, bits);
        if (width < (down ? lines : along) || words.Length / 4 < (down ? along : lines) * (long)width)
            throw new ArgumentException($"The tensor of {tensor} has {words.Length / 4} words in rows of {width}; {lines} × {length} integers of {bits} bits don't fit.", tensor);
        _words = (uint*)words.Pointer;
        (_width, _bits, _down) = (width, bits, down);
    }

    /// <summary>Words that a line of integers takes.</summary>
    public static int WordsOf(int length, int bits) => (int)(((long)length * bits + 31) / 32);

    /// <summary>Reads the first integers of a line.</summary>
    public void Read(int line, Span<byte> integers)
    {
        var word = _down ? _words + line : _words + (long)line * _width;
        var step = _down ? _width : 1;
        var i = 0;
        if (_bits == 4)
        {
            for (; i <= integers.Length - 8; i += 8, word += step)
                BinaryPrimitives.WriteUInt64LittleEndian(integers[i..], Spread(*word));
        }
        var (bits, mask, stored, have) = (_bits, (1u << _bits) - 1, 0UL, 0);
        for (; i < integers.Length; i++)
        {
            if (have < bits)
            {
                stored |= (ulong)*word << have;
                have += 32;
                word += step;
            }
            integers[i] = (byte)((uint)stored & mask);
            stored >>= bits;
            have -= bits;
        }
    }

    /// <summary>Reads the integer at one place of each of the first lines; only where the width divides 32.</summary>
    public void ReadAcross(int index, Span<byte> integers)
    {
        var (first, shift) = Math.DivRem(index * _bits, 32);
        var word = _down ? _words + (long)first * _width : _words + first;
        var step = _down ? 1 : _width;
        var mask = (1u << _bits) - 1;
        for (var i = 0; i < integers.Length; i++, word += step)
            integers[i] = (byte)(*word >> shift & mask);
    }

    /// <summary>Eight integers of 4 bits, a byte each, from an index that is a multiple of 8.</summary>
    public ulong ReadEight(int line, int index) =>
        Spread(_down ? _words[(long)(index / 8) * _width + line] : _words[(long)line * _width + index / 8]);

    /// <summary>Reads one integer.</summary>
    public byte Read(int line, int index)
    {
        var (first, shift) = Math.DivRem((long)index * _bits, 32);
        var word = _down ? _words + first * _width + line : _words + (long)line * _width + first;
        var stored = (ulong)*word;
        if (shift + _bits > 32)
            stored |= (ulong)word[_down ? _width : 1] << 32;
        return (byte)((uint)(stored >> (int)shift) & ((1u << _bits) - 1));
    }

    /// <summary>Eight nibbles as eight bytes.</summary>
    private static ulong Spread(uint nibbles)
    {
        ulong wide = nibbles;
        wide = (wide | wide << 16) & 0x0000_FFFF_0000_FFFF;
        wide = (wide | wide << 8) & 0x00FF_00FF_00FF_00FF;
        return (wide | wide << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    }
}
