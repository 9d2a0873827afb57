using System.Runtime.Intrinsics;

namespace OpenHearth.Kernels.Vectors;

/// <summary>Vectors of 256 bits.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    public static int Count => Vector256<float>.Count;

    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    public static void Store(Vector256<float> value, float* target) => value.Store(target);

    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);

    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(a, b);

    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Vector256.MinNative(a, b);

    public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    public static Vector256<float> ScaleByPowerOfTwo(Vector256<float> value, Vector256<float> exponent) =>
        value * ((Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127)) << 23).AsSingle();

    // Sign and digits move to their places in a float; multiplying by 2^112 corrects the exponent, subnormals included.
    public static Vector256<float> LoadHalf(ushort* source) =>
        ((Vector256.WidenLower(Vector256.Create(Vector128.Load((short*)source), default)) << 13) & Vector256.Create(unchecked((int)0x8FFFFFFF))).AsSingle() * Vector256.Create(5.192296858534828e33f);

    public static Vector256<float> LoadUpperHalf(ushort* source) => (Vector256.WidenLower(Vector256.Create(Vector128.Load(source), default)) << 16).AsSingle();

    public static Vector256<float> LoadBytes(sbyte* source) => Vector256.ConvertToSingle(Vector256.WidenLower(Vector256.WidenLower(Vector256.Create(Vector128.Create(Vector64.Load(source), default), default))));

    public static (Vector256<float> Low, Vector256<float> High) LoadNibbles(byte* source)
    {
        var bytes = Vector256.WidenLower(Vector256.WidenLower(Vector256.Create(Vector128.Create(Vector64.Load(source), default), default))).AsInt32();
        return (Vector256.ConvertToSingle(bytes & Vector256.Create(15)), Vector256.ConvertToSingle(bytes >> 4));
    }

    public static float Sum(Vector256<float> value) => Vector256.Sum(value);

    public static float Largest(Vector256<float> value)
    {
        var half = Vector128.MaxNative(value.GetLower(), value.GetUpper());
        half = Vector128.MaxNative(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(half[0], half[1]);
    }
}
