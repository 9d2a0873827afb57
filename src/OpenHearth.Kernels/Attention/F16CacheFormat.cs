using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>Cache blocks of half precision.</summary>
internal sealed unsafe class F16CacheFormat : CacheFormat
{
    // Every level converts to the same bits, so none has to be asked for.
    private static readonly CpuLevel Level = CpuFeatures.Current.Level;

    public override string Name => "f16";

    internal override long PlaneBytes(int width) => (long)width * BlockTokens * sizeof(ushort);

    internal override void StoreKey(float* key, byte* plane, int token, int width)
    {
        var column = (ushort*)plane + token;
        for (var i = 0; i < width; i++)
            column[i * BlockTokens] = FromSingle(key[i]);
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part)
    {
        var row = (ushort*)plane + ((long)token * Padded(width));
        for (var i = 0; i < width; i++)
            row[i] = FromSingle(value[i]);
    }

    internal override float* LoadKeys(byte* plane, int width, float* scratch)
    {
        var kernel = new Widen { Source = (ushort*)plane, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, width);
        return scratch;
    }

    internal override int MostRowsOfStored => int.MaxValue;

    internal override void MultiplyKeys(float* queries, byte* plane, int width, float* scores, int rows, byte* next) =>
        NarrowTileProduct.MultiplyAdd(queries, width, (ushort*)plane, BlockTokens, scores, BlockTokens, rows, width, BlockTokens, next);

    internal override void MultiplyValues(float* weights, byte* plane, int first, int count, int paddedWidth, float* sums, int rows, byte* next) =>
        NarrowTileProduct.MultiplyAdd(weights + first, BlockTokens, (ushort*)plane + (first * paddedWidth), paddedWidth, sums, paddedWidth, rows, count, paddedWidth, next);

    // Rounds ties to even like (Half)value, which costs several times more; NaN becomes the largest value.
    internal static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var sign = (bits >> 16) & 0x8000;
        var magnitude = Math.Min(bits & 0x7FFFFFFF, 0x477FE000); // 65504
        if (magnitude < 0x38800000) // below 2^-14 the result is subnormal: adding ½ leaves its digits at the end
            return (ushort)(sign | (BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude) + 0.5f) - 0x3F000000));
        return (ushort)(sign | ((magnitude + 0xFFF + ((magnitude >> 13) & 1) - 0x38000000) >> 13));
    }

    private struct Widen : IRowKernel
    {
        public ushort* Source; // [rows, 64]
        public float* Target; // [rows, 64]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var i = first * BlockTokens; i < end * BlockTokens; i += TSimd.Count)
                TSimd.Store(TSimd.LoadHalf(Source + i), Target + i);
        }
    }
}
