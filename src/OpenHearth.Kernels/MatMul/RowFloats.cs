using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Packing;

namespace OpenHearth.Kernels.MatMul;

/// <summary>Decodes rows to F32 fast; the values are the format's, as its scalar decoder gives them.</summary>
internal static unsafe class RowFloats
{
    /// <summary>Bytes that <see cref="Decode"/> needs for intermediate use.</summary>
    public static int ScratchBytes(Matrix weights) =>
        weights.Codes is { } codes ? weights.Columns + 2 * sizeof(float) * weights.Columns / codes.Group : 0;

    /// <summary>Decodes a row.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="row">From 0.</param>
    /// <param name="values">[columns]</param>
    /// <param name="scratch">[<see cref="ScratchBytes"/>]</param>
    public static void Decode(Matrix weights, int row, float* values, byte* scratch)
    {
        if (weights.Codes is { } format)
            DecodeCodes(format, weights.Row(row), weights.Columns, values, (float*)scratch);
        else if (weights.Type == TensorType.F16)
            HalfNumbers.Decode((ushort*)weights.Row(row), weights.Columns, values);
        else if (weights.Type == TensorType.BF16)
            DecodeBf16((ushort*)weights.Row(row), weights.Columns, values);
        else
            weights.DecodeRow(row, new Span<float>(values, weights.Columns));
    }

    private static void DecodeCodes(RowCodes format, byte* row, int columns, float* values, float* scratch)
    {
        var groups = columns / format.Group;
        float* scales = scratch, mins = scratch + groups;
        var codes = (sbyte*)(mins + groups);
        format.Unpack(row, columns, codes, scales, mins);
        for (var g = 0; g < groups; g++)
        {
            var scale = Vector256.Create(scales[g]);
            var min = Vector256.Create(format.HasMins ? mins[g] : 0);
            for (var i = g * format.Group; i < (g + 1) * format.Group; i += 16)
            {
                var (low, high) = Vector256.Widen(Widen(codes + i));
                var (a, b) = (Vector256.ConvertToSingle(low) * scale, Vector256.ConvertToSingle(high) * scale);
                (format.HasMins ? a + min : a).Store(values + i);
                (format.HasMins ? b + min : b).Store(values + i + 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(sbyte* codes)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(codes));
        return Vector256.Create(low, high);
    }

    private static void DecodeBf16(ushort* row, int columns, float* values)
    {
        var i = 0;
        for (; i <= columns - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(row + i));
            (Vector256.Create(low, high) << 16).AsSingle().Store(values + i);
        }
        for (; i < columns; i++)
            values[i] = BitConverter.UInt32BitsToSingle((uint)row[i] << 16);
    }
}
