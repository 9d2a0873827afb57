using System.Buffers.Binary;
using OpenHearth.Engine.Files;

namespace OpenHearth.Engine.Tokenization.Loading;

/// <summary>Reads the fields of one protobuf message; everything is checked against its end.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;
    private int _wire;

    /// <summary>The number of the field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Its value, where it is a number.</summary>
    public ulong Number { get; private set; }

    /// <summary>Its value, where it is text, bytes or a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Its value, where it is a float.</summary>
    public readonly float Float => BitConverter.UInt32BitsToSingle((uint)Number);

    /// <summary>Comes to the next field; false at the end.</summary>
    /// <exception cref="ModelFormatException">The message is damaged.</exception>
    public bool Next()
    {
        if (_at == _message.Length)
            return false;
        var tag = Varint();
        (Field, _wire) = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
        Bytes = [];
        Number = 0;
        switch (_wire)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                Bytes = Take(Varint());
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Damaged($"field {Field} has the unknown wire type {_wire}");
        }
        return true;
    }

    /// <summary>Fails unless the field is a message or text.</summary>
    /// <exception cref="ModelFormatException">It is not.</exception>
    public readonly ReadOnlySpan<byte> RequireBytes() => _wire == 2 ? Bytes : throw Damaged($"field {Field} has the wrong wire type {_wire}");

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_at == _message.Length)
                throw Damaged("it ends within a number");
            var part = _message[_at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw Damaged("a number is too long");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _at))
            throw Damaged($"field {Field} claims {length} bytes, {_message.Length - _at} are left");
        var bytes = _message.Slice(_at, (int)length);
        _at += (int)length;
        return bytes;
    }

    private readonly ModelFormatException Damaged(string what) => new($"SentencePiece model: at byte {_at} of a message {what}.");
}
