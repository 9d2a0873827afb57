using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Cache blocks of Q4_0, value = scale · (code − 8), with codes and scales apart. A byte holds two codes of one token, so
/// that threads which store different tokens never share one: of keys, values 2i (low) and 2i + 1 of the width
/// [width / 2, 64 tokens]; of values, those at j (low) and j + 16 of each 32 (j + 8 of a last 16) [64 tokens, width / 2].
/// Scales are half precision: [groups, 64 tokens] of keys, [64 tokens, groups] of values.
/// </summary>
internal sealed unsafe class Q4_0CacheFormat : CacheFormat
{
    private static readonly CpuLevel Level = CpuFeatures.Current.Level;

    public override string Name => "q4_0";

    internal override long PlaneBytes(int width) => BlockTokens * ((((long)width + 1) / 2) + (Groups(width) * sizeof(ushort)));

    internal override bool Rotates => true;

    internal override void StoreKey(float* key, byte* plane, int token, int width, int part)
    {
        var scales = (ushort*)(plane + (((long)width + 1) / 2 * BlockTokens)) + token;
        var codes = stackalloc byte[GroupValues];
        var rotated = stackalloc float[HeadRotation.Largest];
        for (var first = 0; first < width; first += GroupValues)
        {
            var count = Math.Min(GroupValues, width - first);
            scales[first / GroupValues * BlockTokens] = Encode(Group(key, first, width, part, rotated), count, codes);
            for (var i = 0; i < count; i += 2)
                plane[((first + i) / 2 * BlockTokens) + token] = (byte)(codes[i] | (codes[i + 1] << 4));
        }
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part)
    {
        var padded = Padded(width);
        var scales = (ushort*)(plane + ((long)padded / 2 * BlockTokens)) + (token * Groups(padded));
        var row = plane + (token * padded / 2);
        var codes = stackalloc byte[GroupValues];
        var rotated = stackalloc float[HeadRotation.Largest];
        for (var first = 0; first < padded; first += GroupValues)
        {
            scales[first / GroupValues] = Encode(Group(value, first, width, part, rotated), Math.Min(width - first, GroupValues), codes);
            var half = Math.Min(GroupValues, padded - first) / 2;
            for (var i = 0; i < half; i++)
                row[(first / 2) + i] = (byte)(codes[i] | (codes[i + half] << 4));
        }
    }

    internal override float* LoadKeys(byte* plane, int width, float* scratch)
    {
        var kernel = new DecodeKeys { Codes = plane, Scales = (ushort*)(plane + (((long)width + 1) / 2 * BlockTokens)), Width = width, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, Groups(width));
        return scratch;
    }

    internal override float* LoadValues(byte* plane, int paddedWidth, float* scratch)
    {
        var kernel = new DecodeValues { Codes = plane, Scales = (ushort*)(plane + ((long)paddedWidth / 2 * BlockTokens)), Width = paddedWidth, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, BlockTokens);
        return scratch;
    }

    // The values from a place on, rotated. A part is rotated when its first group comes.
    private static float* Group(float* head, int first, int width, int part, float* rotated)
    {
        if (part == 1)
            return head + first;
        var place = first % HeadRotation.Largest;
        if (place == 0)
        {
            var count = Math.Min(HeadRotation.Largest, width - first);
            new ReadOnlySpan<float>(head + first, count).CopyTo(new Span<float>(rotated, count));
            HeadRotation.Apply(rotated, count, part);
        }
        return rotated + place;
    }

    // Of the two extremes the larger gets the code 0 exactly; places beyond the count get the code of 0.
    private static ushort Encode(float* values, int count, byte* codes)
    {
        var scale = F16CacheFormat.FromSingle(ScaleSearch.Extreme(new(values, count)) / -8);
        var rounded = (float)BitConverter.UInt16BitsToHalf(scale);
        var inverse = rounded == 0 ? 0 : 1 / rounded;
        for (var i = 0; i < GroupValues; i++)
            codes[i] = i < count ? (byte)Math.Clamp(MathF.Round(values[i] * inverse) + 8, 0f, 15f) : (byte)8;
        return scale;
    }

    internal struct DecodeKeys : IRowKernel
    {
        public byte* Codes; // [width / 2, 64 tokens]
        public ushort* Scales; // [groups, 64 tokens]
        public int Width;
        public float* Target; // [width, 64 tokens]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var group = first; group < end; group++)
            {
                var stop = Math.Min((group + 1) * GroupValues, Width);
                for (var t = 0; t < BlockTokens; t += TSimd.Count)
                {
                    var scale = TSimd.LoadHalf(Scales + (group * BlockTokens) + t);
                    var zero = TSimd.Multiply(scale, TSimd.Broadcast(-8));
                    for (var i = group * GroupValues; i < stop; i += 2)
                    {
                        var (low, high) = TSimd.LoadNibbles(Codes + (i / 2 * BlockTokens) + t);
                        TSimd.Store(TSimd.MultiplyAdd(low, scale, zero), Target + (i * BlockTokens) + t);
                        if (i + 1 < stop)
                            TSimd.Store(TSimd.MultiplyAdd(high, scale, zero), Target + ((i + 1) * BlockTokens) + t);
                    }
                }
            }
        }
    }

    internal struct DecodeValues : IRowKernel
    {
        public byte* Codes; // [64 tokens, width / 2]
        public ushort* Scales; // [64 tokens, groups]
        public int Width; // a multiple of 16
        public float* Target; // [64 tokens, width]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var t = first; t < end; t++)
            {
                for (var from = 0; from < Width; from += GroupValues)
                    DecodeGroup<TSimd, TVector>(t, from, Math.Min(GroupValues, Width - from) / 2);
            }
        }

        private readonly void DecodeGroup<TSimd, TVector>(int token, int from, int half) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            var scale = (float)BitConverter.UInt16BitsToHalf(Scales[(token * Groups(Width)) + (from / GroupValues)]);
            var codes = Codes + (((token * Width) + from) / 2);
            var target = Target + (token * Width) + from;
            var i = 0;
            for (var (factor, zero) = (TSimd.Broadcast(scale), TSimd.Broadcast(-8 * scale)); i <= half - TSimd.Count; i += TSimd.Count)
            {
                var (low, high) = TSimd.LoadNibbles(codes + i);
                TSimd.Store(TSimd.MultiplyAdd(low, factor, zero), target + i);
                TSimd.Store(TSimd.MultiplyAdd(high, factor, zero), target + half + i);
            }
            for (; i < half; i++) // 8 of a last 16, where vectors are wider
            {
                target[i] = scale * ((codes[i] & 15) - 8);
                target[half + i] = scale * ((codes[i] >> 4) - 8);
            }
        }
    }
}
