using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Cache blocks of Q8_0, value = scale · code, with codes and scales apart:
/// keys are codes [width, 64 tokens] of a byte, values codes [64 tokens, width]; scales are [groups, 64 tokens] of half
/// precision in both.
/// </summary>
internal sealed unsafe class Q8_0CacheFormat : CacheFormat
{
    private static readonly CpuLevel Level = CpuFeatures.Current.Level;

    public override string Name => "q8_0";

    internal override long PlaneBytes(int width) => BlockTokens * ((long)width + (Groups(width) * sizeof(ushort)));

    internal override void StoreKey(float* key, byte* plane, int token, int width)
    {
        var scales = (ushort*)(plane + ((long)width * BlockTokens)) + token;
        Store(key, width, (sbyte*)plane + token, BlockTokens, scales, BlockTokens);
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part)
    {
        var padded = Padded(width);
        var scales = (ushort*)(plane + ((long)padded * BlockTokens)) + token;
        Store(value, width, (sbyte*)plane + (token * padded), 1, scales, BlockTokens);
    }

    internal override float* LoadKeys(byte* plane, int width, float* scratch)
    {
        var kernel = new DecodeKeys { Codes = (sbyte*)plane, Scales = (ushort*)(plane + ((long)width * BlockTokens)), Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, width);
        return scratch;
    }

    internal override float* LoadValues(byte* plane, int paddedWidth, float* scratch)
    {
        var kernel = new DecodeValues { Codes = (sbyte*)plane, Scales = (ushort*)(plane + ((long)paddedWidth * BlockTokens)), Width = paddedWidth, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, BlockTokens);
        return scratch;
    }

    // Beyond, codes are taken apart so often that decoding once is less.
    internal override int MostRowsOfStored => 2 * NarrowTileProduct.MostRows;

    // Sums of a group's codes, then times the scales of its 64 tokens.
    internal override void MultiplyKeys(float* queries, byte* plane, int width, float* scores, int rows, byte* next)
    {
        var scales = (ushort*)(plane + ((long)width * BlockTokens));
        var partial = stackalloc float[MostRowsOfStored * BlockTokens];
        for (var group = 0; group < Groups(width); group++)
        {
            var (first, length) = (group * GroupValues, rows * BlockTokens);
            new Span<float>(partial, length).Clear();
            NarrowTileProduct.MultiplyAdd(
                queries + first, width, (sbyte*)plane + (first * BlockTokens), BlockTokens, partial, BlockTokens, rows, Math.Min(GroupValues, width - first), BlockTokens, next + (first * BlockTokens));
            for (var t = 0; t < BlockTokens; t += Vector512<float>.Count)
            {
                var scale = Simd512.LoadHalf(scales + (group * BlockTokens) + t);
                for (var i = t; i < length; i += BlockTokens)
                    Simd512.Store(Simd512.MultiplyAdd(Simd512.Load(partial + i), scale, Simd512.Load(scores + i)), scores + i);
            }
        }
        FetchScales(next, width);
    }

    // Weights of a group's columns are times the scales first.
    internal override void MultiplyValues(float* weights, byte* plane, int first, int count, int paddedWidth, float* sums, int rows, byte* next)
    {
        var scales = (ushort*)(plane + ((long)paddedWidth * BlockTokens));
        var scaled = stackalloc float[MostRowsOfStored * BlockTokens];
        for (var group = 0; group < Groups(paddedWidth); group++)
        {
            var column = group * GroupValues;
            for (var t = 0; t < BlockTokens; t += Vector512<float>.Count)
            {
                var scale = Simd512.LoadHalf(scales + (group * BlockTokens) + t);
                for (var i = t; i < rows * BlockTokens; i += BlockTokens)
                    Simd512.Store(Simd512.Multiply(Simd512.Load(weights + i), scale), scaled + i);
            }
            NarrowTileProduct.MultiplyAdd(
                scaled + first, BlockTokens, (sbyte*)plane + (first * paddedWidth) + column, paddedWidth, sums + column, paddedWidth, rows, count, Math.Min(GroupValues, paddedWidth - column),
                next + (column * BlockTokens));
        }
        FetchScales(next, paddedWidth);
    }

    private static void FetchScales(byte* plane, int width)
    {
        for (var line = 0; line < Groups(width) * BlockTokens * sizeof(ushort); line += 64)
            Sse.Prefetch0(plane + ((long)width * BlockTokens) + line);
    }

    // The scale that is stored is the one that codes are made with, so that its rounding adds no error.
    private static void Store(float* values, int width, sbyte* codes, int stride, ushort* scales, int scaleStride)
    {
        for (var first = 0; first < width; first += GroupValues)
        {
            var group = new ReadOnlySpan<float>(values + first, Math.Min(GroupValues, width - first));
            var scale = F16CacheFormat.FromSingle(ScaleSearch.LargestMagnitude(group) / 127);
            scales[first / GroupValues * scaleStride] = scale;
            var inverse = scale == 0 ? 0 : 1 / (float)BitConverter.UInt16BitsToHalf(scale);
            for (var i = 0; i < group.Length; i++)
                codes[(first + i) * stride] = (sbyte)Math.Clamp(MathF.Round(group[i] * inverse), -127f, 127f);
        }
    }

    internal struct DecodeKeys : IRowKernel
    {
        public sbyte* Codes; // [width, 64 tokens]
        public ushort* Scales; // [groups, 64 tokens]
        public float* Target; // [width, 64 tokens]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var group = first / GroupValues; group * GroupValues < end; group++)
            {
                var stop = Math.Min((group + 1) * GroupValues, end);
                for (var t = 0; t < BlockTokens; t += TSimd.Count)
                {
                    var scale = TSimd.LoadHalf(Scales + (group * BlockTokens) + t);
                    for (var i = Math.Max(group * GroupValues, first); i < stop; i++)
                        TSimd.Store(TSimd.Multiply(TSimd.LoadBytes(Codes + (i * BlockTokens) + t), scale), Target + (i * BlockTokens) + t);
                }
            }
        }
    }

    internal struct DecodeValues : IRowKernel
    {
        public sbyte* Codes; // [64 tokens, width]
        public ushort* Scales; // [groups, 64 tokens]
        public int Width; // a multiple of 16
        public float* Target; // [64 tokens, width]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var t = first; t < end; t++)
            {
                for (var from = 0; from < Width; from += GroupValues)
                {
                    var scale = TSimd.Broadcast((float)BitConverter.UInt16BitsToHalf(Scales[(from / GroupValues * BlockTokens) + t]));
                    for (var i = (t * Width) + from; i < (t * Width) + Math.Min(from + GroupValues, Width); i += TSimd.Count)
                        TSimd.Store(TSimd.Multiply(TSimd.LoadBytes(Codes + i), scale), Target + i);
                }
            }
        }
    }
}
