using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace OpenHearth.Kernels.Formats;

/// <summary>The registry of formats that can be decoded. A new format is one file and one line here.</summary>
public static class BlockFormats
{
    private static readonly FrozenDictionary<TensorType, BlockFormat> ByType = new BlockFormat[]
    {
        new F32(),
        new F16(),
        new BF16(),
        new F64(),
        new F8_E4M3(),
        new F8_E5M2(),
        new I8(),
        new U8(),
        new Bool(),
        new I16(),
        new I32(),
        new I64(),
        new Q4_0(),
        new Q4_1(),
        new Q5_0(),
        new Q5_1(),
        new Q8_0(),
        new Q8_1(),
        new Q2_K(),
        new Q3_K(),
        new Q4_K(),
        new Q5_K(),
        new Q6_K(),
        new Q8_K(),
        new IQ1_S(),
        new IQ1_M(),
        new IQ2_XXS(),
        new IQ2_XS(),
        new IQ2_S(),
        new IQ3_XXS(),
        new IQ3_S(),
        new IQ4_NL(),
        new IQ4_XS(),
        new TQ1_0(),
        new TQ2_0(),
        new I2_S(),
        new MXFP4(),
        new NVFP4(),
        new Q1_0(),
        new Q2_0(),
    }.ToFrozenDictionary(format => format.Type);

    /// <summary>Every format that can be decoded.</summary>
    public static IEnumerable<BlockFormat> All => ByType.Values;

    /// <summary>Looks a format up.</summary>
    public static bool TryGet(TensorType type, [MaybeNullWhen(false)] out BlockFormat format) => ByType.TryGetValue(type, out format);

    /// <summary>Looks a format up.</summary>
    /// <exception cref="NotSupportedException">No decoder exists for <paramref name="type"/>.</exception>
    public static BlockFormat Get(TensorType type) =>
        ByType.TryGetValue(type, out var format) ? format : throw new NotSupportedException($"Tensors of type {type} can't be decoded.");
}
