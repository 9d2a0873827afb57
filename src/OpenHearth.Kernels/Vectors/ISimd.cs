namespace OpenHearth.Kernels.Vectors;

/// <summary>
/// What a fused loop needs of a vector of floats. Loops are written once against it and compiled for every width,
/// down to one value a vector, which is the level for processors without any.
/// </summary>
internal unsafe interface ISimd<TVector> where TVector : struct
{
    /// <summary>Values in a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* target);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, TVector b);

    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>a · b + c, rounded once where the processor can.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The larger value; if one is not a number, <paramref name="b"/> (on x64).</summary>
    static abstract TVector Max(TVector a, TVector b);

    /// <summary>The smaller value; if one is not a number, <paramref name="b"/> (on x64).</summary>
    static abstract TVector Min(TVector a, TVector b);

    static abstract TVector Round(TVector value);

    /// <summary>value · 2^exponent for whole exponents from -126 to 127.</summary>
    static abstract TVector ScaleByPowerOfTwo(TVector value, TVector exponent);

    /// <summary>Widens half precision; infinities and NaN become large finite values.</summary>
    static abstract TVector LoadHalf(ushort* source);

    /// <summary>Widens the upper halves of single precision.</summary>
    static abstract TVector LoadUpperHalf(ushort* source);

    static abstract TVector LoadBytes(sbyte* source);

    /// <summary>The lower and the upper four bits of every byte, from 0 to 15.</summary>
    static abstract (TVector Low, TVector High) LoadNibbles(byte* source);

    static abstract float Sum(TVector value);

    static abstract float Largest(TVector value);
}
