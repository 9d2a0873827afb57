namespace OpenHearth.Kernels.Attention;

/// <summary>Cache blocks of single precision.</summary>
internal sealed unsafe class F32CacheFormat : CacheFormat
{
    public override string Name => "f32";

    internal override long PlaneBytes(int width) => (long)width * BlockTokens * sizeof(float);

    internal override void StoreKey(float* key, byte* plane, int token, int width)
    {
        var column = (float*)plane + token;
        for (var i = 0; i < width; i++)
            column[i * BlockTokens] = key[i];
    }

    internal override void StoreValue(float* value, byte* plane, int token, int width, int part) =>
        new ReadOnlySpan<float>(value, width).CopyTo(new Span<float>((float*)plane + ((long)token * Padded(width)), width));

    internal override float* LoadKeys(byte* plane, int width, float* scratch) => (float*)plane;
}
