using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Gguf;

/// <summary>
/// Reads one GGUF file (source: ggml's docs/gguf.md). Layout: magic, version, counts; keys and values; tensor infos;
/// padding; tensor data. Nothing is allocated before its count is checked against the bytes that are left.
/// </summary>
internal sealed class GgufReader(MemoryRegion region, string path)
{
    private const int MaxKeys = 1 << 16;
    private const int MaxTensors = 1 << 16;
    private const int MaxNameBytes = ushort.MaxValue;
    private const int MaxAllNamesBytes = 1 << 24;
    private const int MaxArrayDepth = 8;
    private const int MaxDimensions = 4;

    // The least bytes of an entry: of a key and value, length 8, type 4, value 1; of a tensor, length 8, dimensions 4,
    // type 4, offset 8.
    private const int LeastKeyBytes = 13;
    private const int LeastTensorBytes = 24;

    private GgufBytes _bytes = new(region, false, path);
    private long _position;
    private long _nameBytes;

    // What is being read, for messages.
    private string _section = "header";
    private int _index = -1;
    private string? _name;

    public GgufPart Read()
    {
        var version = ReadVersion();
        var tensorCount = ReadCount("tensor count", LeastTensorBytes, MaxTensors);
        var keyCount = ReadCount("metadata count", LeastKeyBytes, MaxKeys);
        var metadata = ReadMetadata(keyCount);
        var alignment = Alignment(metadata);
        var infos = ReadTensorInfos(tensorCount, alignment);
        var data = (_position + alignment - 1) & -alignment;
        var tensors = Locate(infos, data);
        return new GgufPart(_bytes, version, metadata, tensors);
    }

    private int ReadVersion()
    {
        if (!region.Span(0, (int)Math.Min(4, region.Length)).SequenceEqual("GGUF"u8))
            throw Fail("magic", 0, NoGguf());
        _position = 4;
        var version = ReadUInt32("version");
        if ((version & 0xffff) == 0)
        {
            version = BinaryPrimitives.ReverseEndianness(version);
            _bytes = new GgufBytes(region, true, path);
        }
        return version is 2 or 3 ? (int)version : throw Fail("version", 4, $"{version} is not supported; versions 2 and 3 are");
    }

    private string NoGguf()
    {
        if (region.Length < 4)
            return $"the file has {region.Length} bytes; it is no GGUF file";
        return region.Span(0, (int)Math.Min(20, region.Length)).StartsWith("version https://git"u8)
            ? "the file is a Git LFS pointer, not the model; fetch the model with 'git lfs pull'"
            : $"the file starts with {Convert.ToHexString(region.Span(0, 4))} instead of 'GGUF'; it is no GGUF file";
    }

    private GgufMetadata ReadMetadata(int count)
    {
        _section = "metadata";
        var metadata = new GgufMetadata(path, count);
        for (_index = 0; _index < count; _index++)
        {
            _name = null;
            var at = _position;
            var key = _name = ReadName("key");
            var type = ReadType("type");
            if (!metadata.TryAdd(key, new GgufValue(_bytes, key, type, _position)))
                throw Fail("key", at, "the key is there twice");
            SkipValue(type, 0);
        }
        return metadata;
    }

    private void SkipValue(GgufValueType type, int depth)
    {
        var size = GgufValue.FixedSize(type);
        if (size > 0)
        {
            Need("value", size);
            _position += size;
        }
        else if (type == GgufValueType.String)
        {
            var length = ReadLength("string length", int.MaxValue);
            _position += length;
        }
        else
        {
            SkipArray(depth);
        }
    }

    private void SkipArray(int depth)
    {
        var at = _position;
        if (depth == MaxArrayDepth)
            throw Fail("array", at, $"arrays are nested deeper than {MaxArrayDepth}");
        var type = ReadType("array element type");
        var size = GgufValue.FixedSize(type);
        var least = size > 0 ? size : type == GgufValueType.String ? 8 : 12;
        var count = ReadCount("array count", least, int.MaxValue);
        if (size > 0)
        {
            _position += (long)count * size;
            return;
        }
        var start = _position;
        if (type == GgufValueType.String)
            count -= SkipStrings(count);
        for (var i = 0; i < count; i++)
            SkipValue(type, depth + 1);
        if (_position - start > uint.MaxValue)
            throw Fail("array", at, "an array of strings or arrays takes more than 4 GiB");
    }

    // A vocabulary has a hundred thousand strings, so the good ones pass here; it stops before one that the caller must
    // complain about.
    private int SkipStrings(int count)
    {
        var (bytes, position, end) = (_bytes, _position, region.Length);
        var skipped = 0;
        for (; skipped < count && end - position >= 8; skipped++)
        {
            var length = bytes.UInt64(position);
            if (length > (ulong)Math.Min(end - position - 8, int.MaxValue))
                break;
            position += 8 + (long)length;
        }
        _position = position;
        return skipped;
    }

    private long Alignment(GgufMetadata metadata)
    {
        _index = -1;
        _name = "general.alignment";
        if (!metadata.TryGet(_name, out var value))
            return 32;
        var alignment = value.ToInteger();
        return alignment is > 0 and <= 1 << 30 && (alignment & (alignment - 1)) == 0
            ? alignment
            : throw Fail("value", value.Offset, $"{alignment} is no power of two from 1 to 2^30");
    }

    private TensorInfo[] ReadTensorInfos(int count, long alignment)
    {
        _section = "tensor";
        var infos = new TensorInfo[count];
        for (_index = 0; _index < count; _index++)
        {
            _name = null;
            _name = ReadName("name");
            var at = _position;
            var rank = ReadUInt32("dimension count");
            if (rank > MaxDimensions)
                throw Fail("dimension count", at, $"{rank} dimensions; at most {MaxDimensions} are allowed");
            at = _position;
            var dimensions = ReadDimensions((int)rank);
            var type = ReadTensorType();
            var length = DataLength(type, dimensions, at);
            at = _position;
            var offset = ReadUInt64("offset");
            if (offset > long.MaxValue || (long)offset % alignment != 0)
                throw Fail("offset", at, $"{offset} is no multiple of the alignment {alignment}");
            infos[_index] = new TensorInfo(_name, type, dimensions, (long)offset, length, at);
        }
        return infos;
    }

    private long[] ReadDimensions(int rank)
    {
        var dimensions = new long[rank];
        for (var i = 0; i < rank; i++)
        {
            var at = _position;
            var dimension = ReadUInt64("dimensions");
            dimensions[i] = dimension <= long.MaxValue ? (long)dimension : throw Fail("dimensions", at, $"dimension {i} is {dimension}, which is too large");
        }
        return dimensions;
    }

    private TensorType ReadTensorType()
    {
        var at = _position;
        var id = ReadUInt32("type");
        // Ids from 1000 are this program's own, for types that no GGUF file has.
        return id < 1000 && TensorTypes.IsKnown((TensorType)id) ? (TensorType)id : throw Fail("type", at, $"tensor type {id} is unknown");
    }

    private long DataLength(TensorType type, long[] dimensions, long at)
    {
        try
        {
            return TensorTypes.TensorBytes(type, dimensions.Length > 0 ? dimensions[0] : 1, dimensions.Length > 1 ? dimensions.AsSpan(1) : []);
        }
        catch (ArgumentException)
        {
            throw Fail("dimensions", at, $"a row of {(dimensions.Length > 0 ? dimensions[0] : 1)} values is no whole number of {type} blocks of {TensorTypes.BlockSize(type)}");
        }
        catch (OverflowException)
        {
            throw Fail("dimensions", at, $"[{string.Join(", ", dimensions)}] are more values than 64 bits can count");
        }
    }

    private List<GgufTensor> Locate(TensorInfo[] infos, long data)
    {
        var tensors = new List<GgufTensor>(infos.Length);
        for (_index = 0; _index < infos.Length; _index++)
        {
            var info = infos[_index];
            _name = info.Name;
            var room = Math.Max(0, region.Length - data);
            if (info.Length > room || info.Offset > room - info.Length)
                throw Fail("offset", info.At, $"{info.Length} bytes from offset {info.Offset} on reach past the {room} bytes of tensor data that the file has");
            tensors.Add(new GgufTensor(_bytes, info.Name, info.Type, info.Dimensions, data + info.Offset, info.Length));
        }
        CheckOverlap(infos);
        return tensors;
    }

    private void CheckOverlap(TensorInfo[] infos)
    {
        var order = Array.FindAll(infos, info => info.Length > 0);
        Array.Sort(order, (a, b) => a.Offset.CompareTo(b.Offset));
        for (var i = 1; i < order.Length; i++)
        {
            if (order[i].Offset >= order[i - 1].Offset + order[i - 1].Length)
                continue;
            (_index, _name) = (Array.IndexOf(infos, order[i]), order[i].Name);
            throw Fail("offset", order[i].At, $"its data overlaps that of {ModelFormatException.Quote(order[i - 1].Name)}");
        }
    }

    private string ReadName(string part)
    {
        var length = (int)ReadLength(part + " length", MaxNameBytes);
        _nameBytes += length;
        if (_nameBytes > MaxAllNamesBytes)
            throw Fail(part, _position, $"the names in the file take more than {MaxAllNamesBytes} bytes");
        var bytes = region.Span(_position, length);
        if (!Utf8.IsValid(bytes))
            throw Fail(part, _position, "the name is not valid UTF-8");
        _position += length;
        return Encoding.UTF8.GetString(bytes);
    }

    private GgufValueType ReadType(string part)
    {
        var at = _position;
        var type = ReadUInt32(part);
        return type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw Fail(part, at, $"value type {type} is unknown");
    }

    private int ReadCount(string part, int leastBytes, int most)
    {
        var at = _position;
        var count = ReadUInt64(part);
        var left = region.Length - _position;
        if (count > (ulong)(left / leastBytes))
            throw Fail(part, at, $"{count} entries do not fit the {left} bytes that are left of the file");
        return count <= (ulong)most ? (int)count : throw Fail(part, at, $"{count} entries; at most {most} are allowed");
    }

    private long ReadLength(string part, int most)
    {
        var at = _position;
        var length = ReadUInt64(part);
        var left = region.Length - _position;
        if (length > (ulong)left)
            throw Fail(part, at, $"{length} bytes are more than the {left} bytes that are left of the file");
        return length <= (ulong)most ? (long)length : throw Fail(part, at, $"{length} bytes; at most {most} are allowed");
    }

    private uint ReadUInt32(string part)
    {
        Need(part, 4);
        _position += 4;
        return _bytes.UInt32(_position - 4);
    }

    private ulong ReadUInt64(string part)
    {
        Need(part, 8);
        _position += 8;
        return _bytes.UInt64(_position - 8);
    }

    private void Need(string part, int bytes)
    {
        if (region.Length - _position < bytes)
            throw Fail(part, _position, $"the file ends here, {bytes} bytes were expected; it is cut off, get it again");
    }

    private ModelFormatException Fail(string part, long at, string what)
    {
        var item = (_index, _name) switch
        {
            ( < 0, null) => _section,
            ( < 0, _) => $"{_section} {ModelFormatException.Quote(_name)}",
            (_, null) => $"{_section} {_index}",
            _ => $"{_section} {_index} {ModelFormatException.Quote(_name)}",
        };
        return ModelFormatException.At(path, $"{item}, {part}", at, what);
    }

    /// <param name="Name">Name.</param>
    /// <param name="Type">Type.</param>
    /// <param name="Dimensions">ggml's order.</param>
    /// <param name="Offset">From the start of the tensor data.</param>
    /// <param name="Length">Bytes.</param>
    /// <param name="At">Where the file says the offset.</param>
    private sealed record TensorInfo(string Name, TensorType Type, long[] Dimensions, long Offset, long Length, long At);
}
