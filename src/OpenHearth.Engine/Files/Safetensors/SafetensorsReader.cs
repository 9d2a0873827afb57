using System.Buffers.Binary;
using System.Text.Json;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Memory;

namespace OpenHearth.Engine.Files.Safetensors;

/// <summary>
/// Reads one safetensors file (source: the format section of the safetensors documentation). Layout: header length as
/// 8 bytes, the header as JSON, then the tensors' bytes without gaps.
/// </summary>
internal sealed class SafetensorsReader(MemoryRegion region, string path)
{
    // Limits of what one file may make this program allocate; real headers stay far below them.
    private const int MaxHeaderBytes = 24 << 20;
    private const int MaxTensors = 1 << 16;
    private const int MaxMetadata = 1 << 14;
    private const int MaxRank = 16;
    private readonly List<Entry> _entries = [];
    private Dictionary<string, string>? _metadata;
    private long _dataStart;

    public SafetensorsPart Read()
    {
        var cursor = new JsonCursor(path, Header(), 8, "header");
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty())
        {
            if (cursor.Is("__metadata__"))
            {
                ReadMetadata(ref cursor);
                continue;
            }
            cursor.Item = cursor.Text();
            if (_entries.Count == MaxTensors)
                throw cursor.Fail($"there are more than {MaxTensors} tensors");
            _entries.Add(ReadEntry(ref cursor, cursor.Item));
            cursor.Item = null;
        }
        cursor.End();
        CheckLayout();
        return new SafetensorsPart(path, region.Length, _metadata ?? [], _entries.ConvertAll(Locate));
    }

    private ReadOnlySpan<byte> Header()
    {
        if (region.Length < 8)
            throw ModelFormatException.At(path, "header length", 0, $"the file has {region.Length} bytes; it is no safetensors file");
        if (region.Span(0, (int)Math.Min(20, region.Length)).StartsWith("version https://git"u8))
            throw ModelFormatException.At(path, "header length", 0, "the file is a Git LFS pointer, not the model; fetch the model with 'git lfs pull'");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(region.Span(0, 8));
        if (length > MaxHeaderBytes)
            throw ModelFormatException.At(path, "header length", 0, $"{length} bytes are more than the {MaxHeaderBytes} that are read; it is no safetensors file");
        if (length > (ulong)region.Length - 8)
            throw ModelFormatException.At(path, "header length", 0, $"{length} bytes are more than the {region.Length - 8} that follow; the file is cut off, get it again");
        _dataStart = 8 + (long)length;
        return region.Span(8, (int)length);
    }

    private void ReadMetadata(ref JsonCursor cursor)
    {
        cursor.Item = "__metadata__";
        if (_metadata is not null)
            throw cursor.Fail("the name is there twice");
        _metadata = [];
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty())
        {
            var key = cursor.Text();
            if (_metadata.Count == MaxMetadata)
                throw cursor.Fail($"there are more than {MaxMetadata} keys");
            cursor.Expect(JsonTokenType.String);
            if (!_metadata.TryAdd(key, cursor.Text()))
                throw cursor.Fail($"the key {ModelFormatException.Quote(key)} is there twice");
        }
        cursor.Item = null;
    }

    private static Entry ReadEntry(ref JsonCursor cursor, string name)
    {
        var at = cursor.Offset;
        TensorType? type = null;
        long[]? shape = null;
        (long Begin, long End)? offsets = null;
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty())
        {
            if (Enter(ref cursor, "dtype", type.HasValue))
                type = ReadType(ref cursor);
            else if (Enter(ref cursor, "shape", shape is not null))
                shape = ReadShape(ref cursor);
            else if (Enter(ref cursor, "data_offsets", offsets.HasValue))
                offsets = ReadOffsets(ref cursor);
            else
                cursor.Skip();
            cursor.Property = null;
        }
        if (type is null || shape is null || offsets is null)
            throw cursor.Fail($"'{(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}' is missing");
        CheckLength(ref cursor, type.Value, shape, offsets.Value.End - offsets.Value.Begin);
        return new Entry(name, type.Value, shape, offsets.Value.Begin, offsets.Value.End, at);
    }

    // True where the cursor is at this property, which must not have been there before.
    private static bool Enter(ref JsonCursor cursor, string property, bool again)
    {
        if (!cursor.Is(property))
            return false;
        cursor.Property = property;
        return again ? throw cursor.Fail("it is there twice") : true;
    }

    private static void CheckLength(ref JsonCursor cursor, TensorType type, long[] shape, long length)
    {
        try
        {
            var needed = TensorTypes.TensorBytes(type, 1, shape);
            if (needed != length)
                throw cursor.Fail($"'data_offsets' have {length} bytes, 'shape' [{string.Join(", ", shape)}] of {type} needs {needed}");
        }
        catch (OverflowException)
        {
            throw cursor.Fail($"'shape' [{string.Join(", ", shape)}] has more values than 64 bits can count");
        }
    }

    private static TensorType ReadType(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.String);
        var name = cursor.Text();
        return SafetensorsTypes.TryParse(name, out var type)
            ? type
            : throw cursor.Fail($"the type {ModelFormatException.Quote(name)} is unknown; known are {string.Join(", ", SafetensorsTypes.Names)}");
    }

    private static long[] ReadShape(ref JsonCursor cursor)
    {
        Span<long> shape = stackalloc long[MaxRank];
        var rank = 0;
        cursor.Expect(JsonTokenType.StartArray);
        while (cursor.NextNumber(out var number))
            shape[rank++] = rank < MaxRank ? number : throw cursor.Fail($"there are more than {MaxRank} dimensions");
        return shape[..rank].ToArray();
    }

    private static (long Begin, long End) ReadOffsets(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartArray);
        if (cursor.NextNumber(out var begin) && cursor.NextNumber(out var end) && !cursor.NextNumber(out _))
            return begin <= end ? (begin, end) : throw cursor.Fail($"it ends at {end}, before its begin {begin}");
        throw cursor.Fail("expected a begin and an end");
    }

    // The format allows no overlap, no gap and nothing after the last tensor.
    private void CheckLayout()
    {
        var order = _entries.ToArray();
        Array.Sort(order, (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        var end = 0L;
        var length = region.Length - _dataStart;
        foreach (var entry in order)
        {
            if (entry.End > length)
                throw Fail(entry, $"its data ends at {entry.End}, but the file has {length} bytes of tensor data; it is cut off or damaged");
            if (entry.Begin < end)
                throw Fail(entry, $"its data starts at {entry.Begin} and overlaps the tensor before it, which ends at {end}");
            if (entry.Begin > end)
                throw Fail(entry, $"its data starts at {entry.Begin}, but the tensor before it ends at {end}; the format allows no gap");
            end = entry.End;
        }
        if (end != length)
            throw ModelFormatException.At(path, "tensor data", _dataStart + end, $"{length - end} bytes belong to no tensor");
    }

    private ModelFormatException Fail(Entry entry, string what) =>
        ModelFormatException.At(path, $"header, {ModelFormatException.Quote(entry.Name)}, 'data_offsets'", entry.At, what);

    private SafetensorsTensor Locate(Entry entry) => new(
        path, entry.Name, entry.Type, entry.Shape, _dataStart + entry.Begin, region.Slice(_dataStart + entry.Begin, entry.End - entry.Begin));

    /// <param name="Name">Name.</param>
    /// <param name="Type">Type.</param>
    /// <param name="Shape">Row-major.</param>
    /// <param name="Begin">From the start of the tensor data.</param>
    /// <param name="End">From the start of the tensor data.</param>
    /// <param name="At">Where the header has the tensor.</param>
    private readonly record struct Entry(string Name, TensorType Type, long[] Shape, long Begin, long End, long At);
}
