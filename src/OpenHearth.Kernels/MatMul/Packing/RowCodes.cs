using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>
/// A quantized format as every integer kernel sees it: signed bytes in groups with one scale each, and a minimum in
/// some formats, <c>value = scale · code + min</c>. Stateless and thread-safe.
/// </summary>
/// <param name="type">The format.</param>
/// <param name="group">Codes that share a scale: 16 or 32.</param>
/// <param name="hasMins">Whether groups have minimums.</param>
/// <param name="gemv">How generated code reads the format; null where it doesn't.</param>
/// <param name="bf16">How generated code decodes the format to bf16; null where it doesn't.</param>
/// <param name="rowLanes">How generated code multiplies 16 rows in lanes; null where it doesn't.</param>
internal abstract unsafe class RowCodes(TensorType type, int group, bool hasMins, GemvCode? gemv = null, Bf16Code? bf16 = null, RowLaneCode? rowLanes = null)
{
    public TensorType Type { get; } = type;

    /// <summary>Codes that share a scale: 16 or 32.</summary>
    public int Group { get; } = group;

    /// <summary>True where values have a minimum added to them.</summary>
    public bool HasMins { get; } = hasMins;

    /// <summary>How generated code for few tokens reads the format; null where there is none and <see cref="Unpack"/> is used.</summary>
    public GemvCode? Gemv { get; } = gemv;

    /// <summary>How generated code decodes the format to bf16; null where there is none and <see cref="Unpack"/> is used.</summary>
    public Bf16Code? Bf16 { get; } = bf16;

    /// <summary>How generated code multiplies 16 rows in lanes; null where it doesn't.</summary>
    public RowLaneCode? RowLanes { get; } = rowLanes;

    /// <summary>Takes a row apart. Decoding codes, scales and minimums gives the format's values to within one rounding.</summary>
    /// <param name="row">Blocks of the row.</param>
    /// <param name="columns">Values in the row, whole blocks.</param>
    /// <param name="codes">[columns]</param>
    /// <param name="scales">[columns / group]</param>
    /// <param name="mins">[columns / group]; left alone unless <see cref="HasMins"/></param>
    public abstract void Unpack(byte* row, int columns, sbyte* codes, float* scales, float* mins);

    /// <summary>The F16 number at <paramref name="source"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static float Half(byte* source) => HalfNumbers.ToSingle(*(ushort*)source);

    /// <summary>One F16 number of each block.</summary>
    /// <param name="source">The number of the first block.</param>
    /// <param name="stride">Bytes from one block to the next.</param>
    /// <param name="count">Blocks.</param>
    /// <param name="values">[count]</param>
    protected static void Halves(byte* source, int stride, int count, float* values)
    {
        // They are gathered where the last results will be, which are written last.
        var halves = (ushort*)values + count;
        for (var i = 0; i < count; i++, source += stride)
            halves[i] = *(ushort*)source;
        HalfNumbers.Decode(halves, count, values);
    }

    /// <summary>Eight bytes as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static Vector256<float> Singles(ulong bytes)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte());
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32());
    }

    /// <summary>Eight signed bytes as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static Vector256<float> SignedSingles(ulong bytes)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalar(bytes).AsSByte());
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)));
    }

    /// <summary>The low and the high nibbles of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static Vector256<byte> Nibbles(byte* source)
    {
        var bytes = Vector128.Load(source);
        return Vector256.Create(bytes & Vector128.Create((byte)15), bytes >> 4);
    }

    /// <summary>A byte of ones for each of 32 bits that is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static Vector256<byte> Spread(uint bits)
    {
        var selected = Vector256.Shuffle(Vector256.Create(bits).AsByte(), Vector256.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19));
        var masks = Vector256.Create(0x8040201008040201).AsByte();
        return Vector256.Equals(selected & masks, masks);
    }

    /// <summary>16 codes, negated where a bit of <paramref name="signs"/> is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void StoreSigned(ulong low, ulong high, uint signs, sbyte* codes)
    {
        var selected = Vector128.Shuffle(Vector128.CreateScalar(signs).AsByte(), Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
        var masks = Vector128.Create(0x8040201008040201).AsByte();
        var negative = Vector128.Equals(selected & masks, masks);
        ((Vector128.Create(low, high).AsByte() ^ negative) - negative).AsSByte().Store(codes);
    }
}
