namespace OpenHearth.Kernels.Vectors;

/// <summary>One value a vector.</summary>
internal readonly unsafe struct SimdScalar : ISimd<float>
{
    public static int Count => 1;

    public static float Load(float* source) => *source;

    public static void Store(float value, float* target) => *target = value;

    public static float Broadcast(float value) => value;

    public static float Add(float a, float b) => a + b;

    public static float Subtract(float a, float b) => a - b;

    public static float Multiply(float a, float b) => a * b;

    public static float Divide(float a, float b) => a / b;

    public static float MultiplyAdd(float a, float b, float c) => (a * b) + c;

    public static float Max(float a, float b) => a > b ? a : b;

    public static float Min(float a, float b) => a < b ? a : b;

    public static float Round(float value) => MathF.Round(value);

    public static float ScaleByPowerOfTwo(float value, float exponent) => value * BitConverter.Int32BitsToSingle(((int)exponent + 127) << 23);

    public static float LoadHalf(ushort* source) =>
        BitConverter.Int32BitsToSingle(((short)*source << 13) & unchecked((int)0x8FFFFFFF)) * 5.192296858534828e33f;

    public static float LoadUpperHalf(ushort* source) => BitConverter.UInt32BitsToSingle((uint)*source << 16);

    public static float LoadBytes(sbyte* source) => *source;

    public static (float Low, float High) LoadNibbles(byte* source) => (*source & 15, *source >> 4);

    public static float Sum(float value) => value;

    public static float Largest(float value) => value;
}
