using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace OpenHearth.Engine.Tests.Files;

/// <summary>Makes damaged copies of a file; the seed and the number of a mutant decide its bytes.</summary>
internal sealed class Mutator(byte[] original, int seed)
{
    private const int MaxEdits = 3;
    private const int MaxGrowth = 64;

    private static readonly ulong[] Interesting =
    [
        0, 1, 2, 7, 8, 31, 32, 127, 128, 255, 256, 32767, 32768, 65535, 65536, int.MaxValue, 1UL << 31, uint.MaxValue,
        1UL << 32, 1UL << 40, long.MaxValue, 1UL << 63, ulong.MaxValue - 31, ulong.MaxValue,
    ];

    /// <summary>The most bytes that a mutant of a file can have.</summary>
    public static int MaxLength(int length) => length + (MaxEdits * MaxGrowth);

    public byte[] Make(int number)
    {
        var random = new Random(HashCode(seed, number));
        var bytes = new List<byte>(original);
        for (var edits = random.Next(1, MaxEdits + 1); edits > 0; edits--)
            Edit(bytes, random);
        return [.. bytes];
    }

    // Not System.HashCode, which is another one in every process.
    private static int HashCode(int a, int b) => unchecked((a * 486187739) + (b * 16777619)) & int.MaxValue;

    private static void Edit(List<byte> bytes, Random random)
    {
        if (bytes.Count == 0)
            return;
        var at = random.Next(bytes.Count);
        switch (random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 3: // cut a piece out
                bytes.RemoveRange(at, Math.Min(random.Next(1, MaxGrowth), bytes.Count - at));
                break;
            case 4: // copy a piece to another place
                var length = Math.Min(random.Next(1, MaxGrowth), bytes.Count - at);
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                break;
            case 5: // copy a piece over another place
                var piece = bytes.GetRange(at, Math.Min(random.Next(1, MaxGrowth), bytes.Count - at));
                Overwrite(bytes, random.Next(bytes.Count), [.. piece]);
                break;
            case 6:
                Overwrite(bytes, at, Number(random));
                break;
            default: // a number in the text of a number
                while (at < bytes.Count && bytes[at] is < (byte)'0' or > (byte)'9')
                    at++;
                if (at < bytes.Count)
                    bytes.RemoveAt(at);
                bytes.InsertRange(at, Encoding.ASCII.GetBytes(Interesting[random.Next(Interesting.Length)].ToString(CultureInfo.InvariantCulture)));
                break;
        }
    }

    private static byte[] Number(Random random)
    {
        var value = Interesting[random.Next(Interesting.Length)];
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        var width = 1 << random.Next(4);
        bytes = bytes[..width];
        if (random.Next(2) == 0)
            bytes.AsSpan().Reverse();
        return bytes;
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> with)
    {
        for (var i = 0; i < with.Length && at + i < bytes.Count; i++)
            bytes[at + i] = with[i];
    }
}
