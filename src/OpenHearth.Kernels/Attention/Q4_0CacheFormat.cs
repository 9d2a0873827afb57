using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>
/// Cache blocks of four bits. Values are rotated and then scale · (code − 8), with a scale for 32 of a token; a byte holds
/// those at j (low) and j + 16 of each 32 (j + 8 of a last 16): codes [64 tokens, width / 2], then scales [64 tokens, groups].
/// Keys are turned back and then minimum + step · code, with a minimum and a step for a channel of a block, because some
/// channels are large in all tokens; a byte holds channels 2i (low) and 2i + 1 of one token: codes [width / 2, 64 tokens],
/// then steps [width] and minima [width]. Scales, steps and minima are half precision.
/// Source of keys by channel: Liu et al., KIVI, 2024.
/// </summary>
internal sealed unsafe class Q4_0CacheFormat : CacheFormat
{
    private const int LargestCode = 15;

    private static readonly CpuLevel Level = CpuFeatures.Current.Level;

    public override string Name => "q4_0";

    // What is behind the codes takes 4 bytes for 1 channel of keys, and as many for 32 values of 2 tokens.
    internal override long PlaneBytes(int width) => CodeBytes(width) + (BlockTokens * Groups(width) * sizeof(ushort));

    internal override bool RotatesValues => true;

    internal override bool SealsKeys => true;

    internal override void StoreKey(float* key, byte* plane, int token, int width) => F16.StoreKey(key, plane, token, width);

    internal override void SealKeys(byte* waiting, byte* plane, int width, KeyTurn? turn, int first)
    {
        var channels = stackalloc float[2 * BlockTokens];
        for (var channel = 0; channel < width; channel++)
        {
            if (turn is not null && turn.Turns(channel))
                continue;
            F16.LoadKeys(waiting + ((long)channel * BlockTokens * sizeof(ushort)), 1, channels);
            EncodeChannel(channels, plane, channel, width, first);
        }
        for (var pair = 0; pair < (turn?.Pairs ?? 0); pair++)
        {
            var (x, y) = turn!.Pair(pair);
            F16.LoadKeys(waiting + ((long)x * BlockTokens * sizeof(ushort)), 1, channels);
            F16.LoadKeys(waiting + ((long)y * BlockTokens * sizeof(ushort)), 1, channels + BlockTokens);
            turn.Back(pair, channels, channels + BlockTokens);
            EncodeChannel(channels, plane, x, width, first);
            EncodeChannel(channels + BlockTokens, plane, y, width, first);
        }
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part)
    {
        var padded = Padded(width);
        var scales = (ushort*)(plane + CodeBytes(padded)) + (token * Groups(padded));
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
        var kernel = new DecodeKeys { Codes = plane, Ranges = (ushort*)(plane + CodeBytes(width)), Width = width, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, (width + 1) / 2);
        return scratch;
    }

    internal override float* LoadValues(byte* plane, int paddedWidth, float* scratch)
    {
        var kernel = new DecodeValues { Codes = plane, Scales = (ushort*)(plane + CodeBytes(paddedWidth)), Width = paddedWidth, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, BlockTokens);
        return scratch;
    }

    private static long CodeBytes(int width) => ((long)width + 1) / 2 * BlockTokens;

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

    private static void EncodeChannel(float* values, byte* plane, int channel, int width, int first)
    {
        var (low, high) = (values[first], values[first]);
        for (var t = first + 1; t < BlockTokens; t++)
            (low, high) = (MathF.Min(low, values[t]), MathF.Max(high, values[t]));
        var ranges = (ushort*)(plane + CodeBytes(width));
        ranges[channel] = F16CacheFormat.FromSingle((high - low) / LargestCode);
        ranges[width + channel] = F16CacheFormat.FromSingle(low);
        var step = (float)BitConverter.UInt16BitsToHalf(ranges[channel]);
        var (inverse, minimum) = (step == 0 ? 0 : 1 / step, (float)BitConverter.UInt16BitsToHalf(ranges[width + channel]));
        var codes = plane + (channel / 2 * BlockTokens);
        for (var t = 0; t < BlockTokens; t++)
        {
            var code = (byte)Math.Clamp(MathF.Round((values[t] - minimum) * inverse), 0f, LargestCode);
            codes[t] = (byte)((channel & 1) == 0 ? (codes[t] & 0xF0) | code : (codes[t] & 15) | (code << 4));
        }
    }

    internal struct DecodeKeys : IRowKernel
    {
        public byte* Codes; // [width / 2, 64 tokens]
        public ushort* Ranges; // [step and minimum, width]
        public int Width;
        public float* Target; // [width, 64 tokens]

        // The product has 15 digits, so that it makes no difference whether sums are fused.
        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var i = first; i < end; i++)
            {
                var (lowStep, lowMinimum) = Range<TSimd, TVector>(2 * i);
                var (highStep, highMinimum) = Range<TSimd, TVector>(Math.Min((2 * i) + 1, Width - 1));
                var target = Target + (2 * i * BlockTokens);
                for (var t = 0; t < BlockTokens; t += TSimd.Count)
                {
                    var (low, high) = TSimd.LoadNibbles(Codes + (i * BlockTokens) + t);
                    TSimd.Store(TSimd.MultiplyAdd(low, lowStep, lowMinimum), target + t);
                    if ((2 * i) + 1 < Width)
                        TSimd.Store(TSimd.MultiplyAdd(high, highStep, highMinimum), target + BlockTokens + t);
                }
            }
        }

        private readonly (TVector Step, TVector Minimum) Range<TSimd, TVector>(int channel) where TSimd : struct, ISimd<TVector> where TVector : struct =>
            (TSimd.Broadcast((float)BitConverter.UInt16BitsToHalf(Ranges[channel])), TSimd.Broadcast((float)BitConverter.UInt16BitsToHalf(Ranges[Width + channel])));
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
