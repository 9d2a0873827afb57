using System.Buffers;
using System.Numerics;
using System.Text;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>Metadata values as bytes, in either byte order.</summary>
internal sealed class GgufEncoder(bool bigEndian)
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    /// <summary>The type that a value of a C# type has in the file.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static GgufValueType TypeOf(object value) => value is GgufValue read ? read.Type : TypeOf(value.GetType());

    public void Bytes(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    public void UInt32(uint value) => Number(value);

    public void UInt64(ulong value) => Number(value);

    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        UInt64((ulong)length);
        _output.Advance(Encoding.UTF8.GetBytes(text, _output.GetSpan(length)));
    }

    /// <summary>A value without its type.</summary>
    public void Value(object value)
    {
        switch (value)
        {
            case byte number: Bytes([number]); break;
            case sbyte number: Bytes([(byte)number]); break;
            case bool truth: Bytes([truth ? (byte)1 : (byte)0]); break;
            case ushort number: Number(number); break;
            case short number: Number(number); break;
            case uint number: Number(number); break;
            case int number: Number(number); break;
            case float number: Number(BitConverter.SingleToUInt32Bits(number)); break;
            case ulong number: Number(number); break;
            case long number: Number(number); break;
            case double number: Number(BitConverter.DoubleToUInt64Bits(number)); break;
            case string text: Text(text); break;
            case GgufValue read: Copy(read); break;
            case Array array: List(array); break;
            default: throw Unknown(value.GetType());
        }
    }

    private void Number<T>(T value) where T : IBinaryInteger<T>
    {
        var span = _output.GetSpan(value.GetByteCount());
        _output.Advance(bigEndian ? value.WriteBigEndian(span) : value.WriteLittleEndian(span));
    }

    private static GgufValueType TypeOf(Type type)
    {
        if (type.IsSZArray)
        {
            _ = TypeOf(type.GetElementType()!);
            return GgufValueType.Array;
        }
        return Type.GetTypeCode(type) switch
        {
            _ when type.IsEnum => throw Unknown(type),
            TypeCode.Byte => GgufValueType.UInt8,
            TypeCode.SByte => GgufValueType.Int8,
            TypeCode.UInt16 => GgufValueType.UInt16,
            TypeCode.Int16 => GgufValueType.Int16,
            TypeCode.UInt32 => GgufValueType.UInt32,
            TypeCode.Int32 => GgufValueType.Int32,
            TypeCode.Single => GgufValueType.Float32,
            TypeCode.Boolean => GgufValueType.Bool,
            TypeCode.String => GgufValueType.String,
            TypeCode.UInt64 => GgufValueType.UInt64,
            TypeCode.Int64 => GgufValueType.Int64,
            TypeCode.Double => GgufValueType.Float64,
            _ => throw Unknown(type),
        };
    }

    private static ArgumentException Unknown(Type type) => new($"GGUF metadata has no type for {type}.");

    private void List(Array array)
    {
        UInt32((uint)TypeOf(array.GetType().GetElementType()!));
        UInt64((ulong)array.Length);
        foreach (var element in array)
            Value(element);
    }

    private void Copy(GgufValue value)
    {
        var raw = value.Raw();
        if (value.BigEndian == bigEndian)
        {
            Bytes(raw.Span(0, checked((int)raw.Length)));
            return;
        }
        switch (value.Type)
        {
            case GgufValueType.Array:
                UInt32((uint)value.ElementType);
                UInt64((ulong)value.Count);
                foreach (var element in value.Elements())
                    Copy(element);
                break;
            case GgufValueType.String:
                UInt64((ulong)value.ToUtf8().Length);
                Bytes(value.ToUtf8());
                break;
            default:
                Span<byte> number = stackalloc byte[8];
                number = number[..(int)raw.Length];
                raw.Span(0, number.Length).CopyTo(number);
                number.Reverse();
                Bytes(number);
                break;
        }
    }
}
