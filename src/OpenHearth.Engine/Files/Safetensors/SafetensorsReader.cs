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
    // The limit of the format's own library.
    private const long MaxHeaderBytes = 100_000_000;
    private const int MaxTensors = 1 << 17;
    private const int MaxMetadata = 1 << 14;
    private const int MaxRank = 16;
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, string> _metadata = [];
    private long _dataStart;

    public SafetensorsPart Read()
    {
        var cursor = new JsonCursor(path, Header(), 8, "header");
        cursor.Expect(JsonTokenType.StartObject);
        var names = new HashSet<string>();
        while (cursor.NextProperty(out var name))
        {
            cursor.Field = $"header, tensor {ModelFormatException.Quote(name)}";
            if (!names.Add(name))
                throw cursor.Fail("the name is there twice");
            if (names.Count > MaxTensors)
                throw cursor.Fail($"there are more than {MaxTensors} tensors");
            if (name == "__metadata__")
                ReadMetadata(ref cursor);
            else
                _entries.Add(ReadEntry(ref cursor, name));
            cursor.Field = "header";
        }
        cursor.End();
        CheckLayout();
        return new SafetensorsPart(path, region.Length, _metadata, _entries.ConvertAll(Locate));
    }

    private ReadOnlySpan<byte> Header()
    {
        if (region.Length < 8)
            throw ModelFormatException.At(path, "header length", 0, $"the file has {region.Length} bytes; it is no safetensors file");
        if (region.Span(0, (int)Math.Min(20, region.Length)).StartsWith("version https://git"u8))
            throw ModelFormatException.At(path, "header length", 0, "the file is a Git LFS pointer, not the model; fetch the model with 'git lfs pull'");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(region.Span(0, 8));
        if (length > MaxHeaderBytes)
            throw ModelFormatException.At(path, "header length", 0, $"{length} bytes are more than the {MaxHeaderBytes} that the format allows; it is no safetensors file");
        if (length > (ulong)region.Length - 8)
            throw ModelFormatException.At(path, "header length", 0, $"{length} bytes are more than the {region.Length - 8} that follow; the file is cut off, get it again");
        _dataStart = 8 + (long)length;
        return region.Span(8, (int)length);
    }

    private void ReadMetadata(ref JsonCursor cursor)
    {
        cursor.Field = "header, '__metadata__'";
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty(out var key))
        {
            if (_metadata.Count == MaxMetadata)
                throw cursor.Fail($"there are more than {MaxMetadata} keys");
            if (!_metadata.TryAdd(key, cursor.String()))
                throw cursor.Fail($"the key {ModelFormatException.Quote(key)} is there twice");
        }
    }

    private static Entry ReadEntry(ref JsonCursor cursor, string name)
    {
        var field = cursor.Field;
        var at = cursor.Offset;
        TensorType? type = null;
        long[]? shape = null, offsets = null;
        cursor.Expect(JsonTokenType.StartObject);
        while (cursor.NextProperty(out var property))
        {
            cursor.Field = $"{field}, {ModelFormatException.Quote(property)}";
            if ((property == "dtype" && type.HasValue) || (property == "shape" && shape is not null) || (property == "data_offsets" && offsets is not null))
                throw cursor.Fail("it is there twice");
            if (property == "dtype")
                type = ReadType(ref cursor);
            else if (property == "shape")
                shape = ReadNumbers(ref cursor, MaxRank);
            else if (property == "data_offsets")
                offsets = ReadNumbers(ref cursor, 2);
            else
                cursor.Skip();
        }
        cursor.Field = field;
        if (type is null || shape is null || offsets is null)
            throw cursor.Fail($"'{(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}' is missing");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw cursor.Fail($"'data_offsets' [{string.Join(", ", offsets)}] are no begin and end");
        CheckLength(ref cursor, type.Value, shape, offsets);
        return new Entry(name, type.Value, shape, offsets[0], offsets[1], at);
    }

    private static void CheckLength(ref JsonCursor cursor, TensorType type, long[] shape, long[] offsets)
    {
        try
        {
            var needed = TensorTypes.TensorBytes(type, 1, shape);
            if (needed != offsets[1] - offsets[0])
                throw cursor.Fail($"'data_offsets' have {offsets[1] - offsets[0]} bytes, 'shape' [{string.Join(", ", shape)}] of {type} needs {needed}");
        }
        catch (OverflowException)
        {
            throw cursor.Fail($"'shape' [{string.Join(", ", shape)}] has more values than 64 bits can count");
        }
    }

    private static TensorType ReadType(ref JsonCursor cursor)
    {
        var name = cursor.String();
        return SafetensorsTypes.TryParse(name, out var type)
            ? type
            : throw cursor.Fail($"the type {ModelFormatException.Quote(name)} is unknown; known are {string.Join(", ", SafetensorsTypes.Names)}");
    }

    private static long[] ReadNumbers(ref JsonCursor cursor, int most)
    {
        cursor.Expect(JsonTokenType.StartArray);
        List<long> numbers = [];
        while (cursor.NextNumber(out var number))
        {
            if (numbers.Count == most)
                throw cursor.Fail($"there are more than {most} numbers");
            numbers.Add(number);
        }
        return [.. numbers];
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
        ModelFormatException.At(path, $"header, tensor {ModelFormatException.Quote(entry.Name)}, 'data_offsets'", entry.At, what);

    private SafetensorsTensor Locate(Entry entry) => new(
        path, entry.Name, entry.Type, entry.Shape, _dataStart + entry.Begin, region.Slice(_dataStart + entry.Begin, entry.End - entry.Begin));

    /// <param name="Name">Name.</param>
    /// <param name="Type">Type.</param>
    /// <param name="Shape">Row-major.</param>
    /// <param name="Begin">From the start of the tensor data.</param>
    /// <param name="End">From the start of the tensor data.</param>
    /// <param name="At">Where the header has the tensor.</param>
    private sealed record Entry(string Name, TensorType Type, long[] Shape, long Begin, long End, long At);
}
