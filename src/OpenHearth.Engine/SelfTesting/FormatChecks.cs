using OpenHearth.Kernels.Formats;

namespace OpenHearth.Engine.SelfTesting;

/// <summary>Decoding of whole rows against decoding value by value: equal to the bit.</summary>
internal static class FormatChecks
{
    private const int Blocks = 67;

    public static IEnumerable<SelfTestResult> Run()
    {
        foreach (var format in BlockFormats.All)
        {
            var bytes = new byte[Blocks * format.BlockBytes];
            new Random(format.BlockBytes).NextBytes(bytes);
            var fast = new float[Blocks * format.BlockSize];
            var scalar = new float[fast.Length];
            format.Decode(bytes, fast);
            format.DecodeScalar(bytes, scalar);
            yield return new SelfTestResult($"decode {format.Type}", "native", SameBits(fast, scalar) ? 0 : double.PositiveInfinity);
        }
    }

    // Random bytes give NaNs, whose bits a conversion may change.
    private static bool SameBits(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        for (var i = 0; i < a.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(a[i]) != BitConverter.SingleToInt32Bits(b[i]) && !(float.IsNaN(a[i]) && float.IsNaN(b[i])))
                return false;
        }
        return true;
    }
}
