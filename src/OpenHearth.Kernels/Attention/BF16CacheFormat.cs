using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.Vectors;

namespace OpenHearth.Kernels.Attention;

/// <summary>Cache blocks of BF16.</summary>
internal sealed unsafe class BF16CacheFormat : CacheFormat
{
    private static readonly CpuLevel Level = CpuFeatures.Current.Level;

    public override string Name => "bf16";

    internal override long PlaneBytes(int width) => (long)width * BlockTokens * sizeof(ushort);

    internal override void StoreKey(float* key, byte* plane, int token, int width)
    {
        var column = (ushort*)plane + token;
        for (var i = 0; i < width; i++)
            column[i * BlockTokens] = Formats.BF16.FromSingle(key[i]);
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part)
    {
        var row = (ushort*)plane + ((long)token * Padded(width));
        for (var i = 0; i < width; i++)
            row[i] = Formats.BF16.FromSingle(value[i]);
    }

    internal override int MostRowsOfStored => Bf16Speed.BeatsFloats ? int.MaxValue : 0;

    internal override bool RoundsOtherSide => true;

    internal override void MultiplyKeys(float* queries, byte* plane, int width, float* scores, int rows, byte* next) =>
        Bf16TileProduct.MultiplyAdd(queries, width, (ushort*)plane, BlockTokens, scores, BlockTokens, rows, width, BlockTokens, next);

    internal override void MultiplyValues(float* weights, byte* plane, int first, int count, int paddedWidth, float* sums, int rows, byte* next) =>
        Bf16TileProduct.MultiplyAdd(weights + first, BlockTokens, (ushort*)plane + (first * paddedWidth), paddedWidth, sums, paddedWidth, rows, count, paddedWidth, next);

    internal override float* LoadKeys(byte* plane, int width, float* scratch)
    {
        var kernel = new Widen { Source = (ushort*)plane, Target = scratch };
        RowKernel.RunWidest(Level, ref kernel, 0, width);
        return scratch;
    }

    internal struct Widen : IRowKernel
    {
        public ushort* Source; // [rows, 64]
        public float* Target; // [rows, 64]

        public readonly void Run<TSimd, TVector>(int first, int end) where TSimd : struct, ISimd<TVector> where TVector : struct
        {
            for (var i = first * BlockTokens; i < end * BlockTokens; i += TSimd.Count)
                TSimd.Store(TSimd.LoadUpperHalf(Source + i), Target + i);
        }
    }
}
