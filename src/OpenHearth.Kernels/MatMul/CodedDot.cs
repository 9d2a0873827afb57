using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.Cpu;

namespace OpenHearth.Kernels.MatMul;

/// <summary>Dot products of a row's codes with 16-bit activations: exact within a group, then scaled and summed in F32.</summary>
internal static unsafe class CodedDot
{
    /// <summary>Computes Σ over groups of scale · Σ code · x.</summary>
    /// <param name="level">The instructions to use.</param>
    /// <param name="codes">[columns]</param>
    /// <param name="scales">[columns / group]</param>
    /// <param name="x">[columns]</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="group">16 or 32.</param>
    public static float Multiply(CpuLevel level, sbyte* codes, float* scales, short* x, int columns, int group) => level switch
    {
        >= CpuLevel.Avx512 => group == 32 ? Groups32Wide(codes, scales, x, columns) : Groups16Wide(codes, scales, x, columns),
        > CpuLevel.Scalar => group == 32 ? Groups32(codes, scales, x, columns) : Groups16(codes, scales, x, columns),
        _ => Scalar(codes, scales, x, columns, group),
    };

    /// <summary>A dot product in F32.</summary>
    /// <param name="level">The instructions to use.</param>
    /// <param name="a">[length]</param>
    /// <param name="b">[length]</param>
    /// <param name="length">Any.</param>
    public static float Multiply(CpuLevel level, float* a, float* b, int length)
    {
        var i = 0;
        var total = 0f;
        if (level > CpuLevel.Scalar)
        {
            var sum = Vector256<float>.Zero;
            for (; i <= length - 8; i += 8)
                sum = Vector256.MultiplyAddEstimate(Vector256.Load(a + i), Vector256.Load(b + i), sum);
            total = Vector256.Sum(sum);
        }
        for (; i < length; i++)
            total += a[i] * b[i];
        return total;
    }

    private static float Scalar(sbyte* codes, float* scales, short* x, int columns, int group)
    {
        var total = 0f;
        for (var g = 0; g < columns / group; g++)
        {
            var sum = 0;
            for (var i = g * group; i < (g + 1) * group; i++)
                sum += codes[i] * x[i];
            total += scales[g] * sum;
        }
        return total;
    }

    private static float Groups32Wide(sbyte* codes, float* scales, short* x, int columns)
    {
        var (even, odd) = (Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i <= columns - 64; i += 64, scales += 2)
        {
            even = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Pairs512(codes + i, x + i)), Vector512.Create(scales[0]), even);
            odd = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Pairs512(codes + i + 32, x + i + 32)), Vector512.Create(scales[1]), odd);
        }
        if (i < columns)
            even = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Pairs512(codes + i, x + i)), Vector512.Create(scales[0]), even);
        return Vector512.Sum(even + odd);
    }

    private static float Groups16Wide(sbyte* codes, float* scales, short* x, int columns)
    {
        var total = Vector512<float>.Zero;
        for (var i = 0; i < columns; i += 32, scales += 2)
        {
            var scale = Vector512.Create(Vector256.Create(scales[0]), Vector256.Create(scales[1]));
            total = Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(Pairs512(codes + i, x + i)), scale, total);
        }
        return Vector512.Sum(total);
    }

    private static float Groups32(sbyte* codes, float* scales, short* x, int columns)
    {
        var total = Vector256<float>.Zero;
        for (var i = 0; i < columns; i += 32, scales++)
        {
            var sum = Pairs256(codes + i, x + i) + Pairs256(codes + i + 16, x + i + 16);
            total = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(sum), Vector256.Create(scales[0]), total);
        }
        return Vector256.Sum(total);
    }

    private static float Groups16(sbyte* codes, float* scales, short* x, int columns)
    {
        var total = Vector256<float>.Zero;
        for (var i = 0; i < columns; i += 16, scales++)
            total = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(Pairs256(codes + i, x + i)), Vector256.Create(scales[0]), total);
        return Vector256.Sum(total);
    }

    // 32 products, summed in pairs.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Pairs512(sbyte* codes, short* x) =>
        Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load(codes)), Vector512.Load(x));

    // 16 products, summed in pairs.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pairs256(sbyte* codes, short* x)
    {
        if (Avx2.IsSupported)
            return Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(codes), Vector256.Load(x));
        var (low, high) = Vector128.Widen(Vector128.Load(codes));
        var (a, b) = (Vector256.Widen(Vector256.Create(low, high)), Vector256.Widen(Vector256.Load(x)));
        return a.Lower * b.Lower + a.Upper * b.Upper;
    }
}
