using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// A metadata value where it lies in the file; it is decoded when asked for. Thread-safe; not to be used after the
/// file is disposed of. Every getter throws <see cref="ModelFormatException"/> on a value of another kind.
/// </summary>
public readonly struct GgufValue
{
    // Far above any vocabulary or chat template, and low enough that no file makes a copy of more than 32 MiB.
    private const int MaxTextBytes = 1 << 24;
    private const int MaxElements = 1 << 23;

    private readonly GgufBytes _bytes;
    private readonly string _key;
    private readonly long _offset;

    internal GgufValue(GgufBytes bytes, string key, GgufValueType type, long offset)
    {
        _bytes = bytes;
        _key = key;
        Type = type;
        _offset = offset;
    }

    /// <summary>Where the value starts in its file.</summary>
    internal long Offset => _offset;

    /// <summary>The type as written.</summary>
    public GgufValueType Type { get; }

    /// <summary>The type of an array's elements.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public GgufValueType ElementType => Type == GgufValueType.Array ? (GgufValueType)_bytes.UInt32(_offset) : throw WrongKind("an array");

    /// <summary>The number of an array's elements.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public int Count => Type == GgufValueType.Array ? (int)_bytes.UInt64(_offset + 4) : throw WrongKind("an array");

    /// <summary>A number without fraction, of any width.</summary>
    /// <exception cref="ModelFormatException">The value is no such number or is above 2^63 - 1.</exception>
    public long ToInteger() => IsInteger(Type) ? Integer(Type, _offset) : throw WrongKind("an integer");

    /// <summary>A number of any kind.</summary>
    /// <exception cref="ModelFormatException">The value is no number.</exception>
    public double ToNumber() => IsNumber(Type) ? Number(Type, _offset) : throw WrongKind("a number");

    /// <summary>A truth value.</summary>
    /// <exception cref="ModelFormatException">The value is no truth value.</exception>
    public bool ToBoolean() => Type == GgufValueType.Bool ? _bytes.UInt8(_offset) != 0 : throw WrongKind("true or false");

    /// <summary>The bytes of a string, as they are in the file.</summary>
    /// <exception cref="ModelFormatException">The value is no string.</exception>
    public ReadOnlySpan<byte> ToUtf8() => Type == GgufValueType.String
        ? _bytes.Span(_offset + 8, (int)_bytes.UInt64(_offset))
        : throw WrongKind("a string");

    /// <summary>A string; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="ModelFormatException">The value is no string or is longer than 16 MiB.</exception>
    public string ToText() => ToUtf8() is var utf8 && utf8.Length <= MaxTextBytes
        ? Encoding.UTF8.GetString(utf8)
        : throw ModelFormatException.At(_bytes.Path, $"metadata {Quoted}", _offset, $"the text is longer than {MaxTextBytes} bytes");

    /// <summary>An array of strings.</summary>
    /// <exception cref="ModelFormatException">The value is no such array.</exception>
    public GgufStrings ToStrings() => IsArrayOf(GgufValueType.String)
        ? new GgufStrings(_bytes, _offset + 12, ArrayLength())
        : throw WrongKind("an array of strings");

    /// <summary>An array of integers of any width.</summary>
    /// <exception cref="ModelFormatException">The value is no such array, or an element doesn't fit 32 bits.</exception>
    public int[] ToIntegers()
    {
        if (Type != GgufValueType.Array || !IsInteger(ElementType))
            throw WrongKind("an array of integers");
        var type = ElementType;
        var values = new int[ArrayLength()];
        if (CanCopy(type, GgufValueType.Int32))
        {
            _bytes.Span(_offset + 12, values.Length * 4).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
        for (var i = 0; i < values.Length; i++)
        {
            var offset = ElementOffset(type, i);
            var value = Integer(type, offset);
            values[i] = value is >= int.MinValue and <= int.MaxValue
                ? (int)value
                : throw ModelFormatException.At(_bytes.Path, $"metadata {Quoted}, element {i}", offset, $"{value} does not fit 32 bits");
        }
        return values;
    }

    /// <summary>An array of numbers of any kind.</summary>
    /// <exception cref="ModelFormatException">The value is no such array.</exception>
    public float[] ToNumbers()
    {
        if (Type != GgufValueType.Array || !IsNumber(ElementType))
            throw WrongKind("an array of numbers");
        var type = ElementType;
        var values = new float[ArrayLength()];
        if (CanCopy(type, GgufValueType.Float32))
        {
            _bytes.Span(_offset + 12, values.Length * 4).CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)Number(type, ElementOffset(type, i));
        return values;
    }

    /// <summary>An array of 8-bit integers, as bytes.</summary>
    /// <exception cref="ModelFormatException">The value is no such array.</exception>
    public byte[] ToBytes() => IsArrayOf(GgufValueType.UInt8) || IsArrayOf(GgufValueType.Int8)
        ? _bytes.Span(_offset + 12, ArrayLength()).ToArray()
        : throw WrongKind("an array of 8-bit integers");

    /// <summary>An array of truth values.</summary>
    /// <exception cref="ModelFormatException">The value is no such array.</exception>
    public bool[] ToBooleans()
    {
        if (!IsArrayOf(GgufValueType.Bool))
            throw WrongKind("an array of true or false");
        var values = new bool[ArrayLength()];
        for (var i = 0; i < values.Length; i++)
            values[i] = _bytes.UInt8(_offset + 12 + i) != 0;
        return values;
    }

    /// <summary>The elements of an array of any type, nested arrays included, one after the other.</summary>
    /// <exception cref="ModelFormatException">The value is no array.</exception>
    public IEnumerable<GgufValue> Elements()
    {
        var type = ElementType;
        var count = Count;
        var offset = _offset + 12;
        for (var i = 0; i < count; i++)
        {
            var element = new GgufValue(_bytes, _key, type, offset);
            yield return element;
            offset += element.ByteLength();
        }
    }

    /// <summary>The value for people; of a long array or string only the beginning.</summary>
    public override string ToString() => Type switch
    {
        GgufValueType.String => Shorten(ToUtf8()),
        GgufValueType.Bool => ToBoolean() ? "true" : "false",
        GgufValueType.Array => $"[{string.Join(", ", Elements().Take(8).Select(ElementText))}{(Count > 8 ? $", … {Count} in all" : "")}]",
        GgufValueType.Float32 => ((float)ToNumber()).ToString(CultureInfo.InvariantCulture),
        GgufValueType.Float64 => ToNumber().ToString(CultureInfo.InvariantCulture),
        GgufValueType.UInt64 => _bytes.UInt64(_offset).ToString(CultureInfo.InvariantCulture),
        _ => ToInteger().ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The bytes that a value of a type takes; 0 where the value itself decides.</summary>
    internal static int FixedSize(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => 0,
    };

    private string Quoted => ModelFormatException.Quote(_key);

    private static bool IsInteger(GgufValueType type) =>
        type is <= GgufValueType.Int32 or GgufValueType.UInt64 or GgufValueType.Int64;

    private static bool IsNumber(GgufValueType type) =>
        IsInteger(type) || type is GgufValueType.Float32 or GgufValueType.Float64;

    private static string Shorten(ReadOnlySpan<byte> text) =>
        text.Length <= 200 ? Encoding.UTF8.GetString(text) : Encoding.UTF8.GetString(text[..200]) + "…";

    // Nested arrays only by their size, so that a hostile file can't make a text that doubles with each level.
    private static string ElementText(GgufValue element) =>
        element.Type == GgufValueType.Array ? $"[{element.Count} {element.ElementType}]" : element.ToString();

    /// <summary>The bytes as they are in the file.</summary>
    internal MemoryRegion Raw() => _bytes.Slice(_offset, ByteLength());

    /// <summary>True where the file's byte order is most significant first.</summary>
    internal bool BigEndian => _bytes.BigEndian;

    private long ByteLength()
    {
        if (Type == GgufValueType.String)
            return 8 + (long)_bytes.UInt64(_offset);
        if (Type != GgufValueType.Array)
            return FixedSize(Type);
        var size = FixedSize(ElementType);
        return 12 + (size > 0 ? (long)Count * size : Elements().Sum(element => element.ByteLength()));
    }

    private bool IsArrayOf(GgufValueType type) => Type == GgufValueType.Array && ElementType == type;

    private int ArrayLength() => Count <= MaxElements
        ? Count
        : throw ModelFormatException.At(_bytes.Path, $"metadata {Quoted}", _offset, $"the array has {Count} elements; at most {MaxElements} are read");

    private bool CanCopy(GgufValueType type, GgufValueType wanted) =>
        type == wanted && BitConverter.IsLittleEndian != _bytes.BigEndian;

    private long ElementOffset(GgufValueType type, int index) => _offset + 12 + ((long)index * FixedSize(type));

    private long Integer(GgufValueType type, long offset) => type switch
    {
        GgufValueType.UInt8 => _bytes.UInt8(offset),
        GgufValueType.Int8 => (sbyte)_bytes.UInt8(offset),
        GgufValueType.UInt16 => _bytes.UInt16(offset),
        GgufValueType.Int16 => (short)_bytes.UInt16(offset),
        GgufValueType.UInt32 => _bytes.UInt32(offset),
        GgufValueType.Int32 => (int)_bytes.UInt32(offset),
        GgufValueType.Int64 => (long)_bytes.UInt64(offset),
        _ => _bytes.UInt64(offset) is var value and <= long.MaxValue
            ? (long)value
            : throw ModelFormatException.At(_bytes.Path, $"metadata {Quoted}", offset, $"{_bytes.UInt64(offset)} is too large"),
    };

    private double Number(GgufValueType type, long offset) => type switch
    {
        GgufValueType.Float32 => BitConverter.UInt32BitsToSingle(_bytes.UInt32(offset)),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(_bytes.UInt64(offset)),
        GgufValueType.UInt64 => _bytes.UInt64(offset),
        _ => Integer(type, offset),
    };

    private ModelFormatException WrongKind(string expected) => ModelFormatException.At(
        _bytes.Path,
        $"metadata {Quoted}",
        _offset,
        $"expected {expected}, found {(Type == GgufValueType.Array ? $"an array of {Count} {ElementType}" : $"{Type} {ModelFormatException.Quote(ToString())}")}");
}
