using System.Runtime.CompilerServices;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Elementwise;

/// <summary>One of <see cref="ActivationKind"/>, to be compiled into a loop.</summary>
internal interface IActivationFunction
{
    /// <summary>f(x)</summary>
    static abstract TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct;

    /// <summary>What f(gate) is multiplied with.</summary>
    static virtual TVector Factor<TSimd, TVector>(TVector up) where TSimd : struct, ISimd<TVector> where TVector : struct => up;
}

internal readonly struct Silu : IActivationFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct =>
        TSimd.Multiply(x, SimdMath.Sigmoid<TSimd, TVector>(x));
}

internal readonly struct GeluTanh : IActivationFunction
{
    // ½(1 + tanh z) = sigmoid(2z)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var cubic = TSimd.Multiply(TSimd.Multiply(x, x), TSimd.Multiply(x, TSimd.Broadcast(0.044715f)));
        return TSimd.Multiply(x, SimdMath.Sigmoid<TSimd, TVector>(TSimd.Multiply(TSimd.Broadcast(1.5957691216f), TSimd.Add(x, cubic))));
    }
}

internal readonly struct Gelu : IActivationFunction
{
    // erf by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7), on |x|/√2, with the sign put back by hand.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var zero = TSimd.Broadcast(0f);
        var one = TSimd.Broadcast(1f);
        var magnitude = TSimd.Max(x, TSimd.Subtract(zero, x));
        var z = TSimd.Multiply(magnitude, TSimd.Broadcast(0.70710678f));
        var t = TSimd.Divide(one, TSimd.MultiplyAdd(TSimd.Broadcast(0.3275911f), z, one));
        var p = TSimd.MultiplyAdd(TSimd.Broadcast(1.061405429f), t, TSimd.Broadcast(-1.453152027f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(1.421413741f));
        p = TSimd.MultiplyAdd(p, t, TSimd.Broadcast(-0.284496736f));
        p = TSimd.Multiply(TSimd.MultiplyAdd(p, t, TSimd.Broadcast(0.254829592f)), t);
        // tail = ½ erfc(z): gelu(x) = max(x, 0) - |x| · tail
        var tail = TSimd.Multiply(TSimd.Multiply(p, SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(zero, TSimd.Multiply(z, z)))), TSimd.Broadcast(0.5f));
        return TSimd.Subtract(TSimd.Max(x, zero), TSimd.Multiply(magnitude, tail));
    }
}

internal readonly struct Relu : IActivationFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct => TSimd.Max(TSimd.Broadcast(0f), x);
}

internal readonly struct ReluSquared : IActivationFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var positive = TSimd.Max(TSimd.Broadcast(0f), x);
        return TSimd.Multiply(positive, positive);
    }
}

internal readonly struct Sigmoid : IActivationFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct => SimdMath.Sigmoid<TSimd, TVector>(x);
}

internal readonly struct ClampedSwish : IActivationFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x) where TSimd : struct, ISimd<TVector> where TVector : struct
    {
        var low = TSimd.Min(TSimd.Broadcast(Activation.ClampedSwishLimit), x);
        return TSimd.Multiply(low, SimdMath.Sigmoid<TSimd, TVector>(TSimd.Multiply(TSimd.Broadcast(Activation.ClampedSwishSlope), low)));
    }

    public static TVector Factor<TSimd, TVector>(TVector up) where TSimd : struct, ISimd<TVector> where TVector : struct =>
        TSimd.Add(TSimd.Broadcast(1f), TSimd.Max(TSimd.Broadcast(-Activation.ClampedSwishLimit), TSimd.Min(TSimd.Broadcast(Activation.ClampedSwishLimit), up)));
}
