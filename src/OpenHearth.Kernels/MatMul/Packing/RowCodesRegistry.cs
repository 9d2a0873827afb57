using OpenHearth.Kernels.Formats;

namespace OpenHearth.Kernels.MatMul.Packing;

/// <summary>The formats that integer kernels multiply. A new one is one file and one line here.</summary>
internal static class RowCodesRegistry
{
    private static readonly Dictionary<TensorType, RowCodes> ByType = new RowCodes[]
    {
        new Q4_0Codes(),
        new Q4_1Codes(),
        new Q5_0Codes(),
        new Q5_1Codes(),
        new Q8_0Codes(),
        new Q2_KCodes(),
        new Q3_KCodes(),
        new Q4_KCodes(),
        new Q5_KCodes(),
        new Q6_KCodes(),
        new IQ1_SCodes(),
        new IQ1_MCodes(),
        new IQ2_XXSCodes(),
        new IQ2_XSCodes(),
        new IQ2_SCodes(),
        new IQ3_XXSCodes(),
        new IQ3_SCodes(),
        new IQ4_NLCodes(),
        new IQ4_XSCodes(),
        new MXFP4Codes(),
        new NVFP4Codes(),
        new TQ1_0Codes(),
        new TQ2_0Codes(),
        new Q1_0Codes(),
        new Q2_0Codes(),
        new I2_SCodes(),
    }.ToDictionary(codes => codes.Type);

    /// <summary>Every format that integer kernels multiply.</summary>
    public static IEnumerable<RowCodes> All => ByType.Values;

    /// <summary>Looks a format up; null where values are no small integers.</summary>
    public static RowCodes? Find(TensorType type) => ByType.GetValueOrDefault(type);
}
