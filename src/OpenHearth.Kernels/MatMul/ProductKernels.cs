using OpenHearth.Kernels.CodeGen;
using OpenHearth.Kernels.Cpu;
using OpenHearth.Kernels.Formats;
using OpenHearth.Kernels.MatMul.Gemm;
using OpenHearth.Kernels.MatMul.Gemv;
using OpenHearth.Kernels.MatMul.Packing;
using OpenHearth.Kernels.MatMul.RowLanes;

namespace OpenHearth.Kernels.MatMul;

/// <summary>The ways to compute a product.</summary>
public enum ProductKernel
{
    /// <summary>Generated: rows of integer formats as they lie in the file.</summary>
    Gemv,

    /// <summary>Generated: 16 rows of integer formats at a time, turned into lanes as they are read.</summary>
    RowLanes,

    /// <summary>Generated: rows of integer formats packed into panels, beside tiles of tokens.</summary>
    Gemm,

    /// <summary>Rows of integer formats taken apart in cache, multiply-adds of 16 bits.</summary>
    CodedRows,

    /// <summary>Generated: rows of plain numbers as they lie in the file.</summary>
    FloatGemv,

    /// <summary>Generated: rows decoded into panels of F32, beside tiles of tokens.</summary>
    FloatGemm,

    /// <summary>Generated: rows decoded into panels of bf16, beside tiles of tokens.</summary>
    Bf16Gemm,

    /// <summary>Generated: rows decoded into panels of bf16, multiplied by AMX.</summary>
    TileGemm,

    /// <summary>Generated: a few rows at a time decoded to bf16, beside up to 32 tokens in lanes.</summary>
    Bf16Batch,

    /// <summary>Rows decoded to F32 once for all tokens, multiply-adds in F32.</summary>
    FloatRows,
}

/// <summary>What the choice of a kernel asks of a matrix.</summary>
[Flags]
internal enum WeightTraits
{
    /// <summary>Small integers with scales.</summary>
    Coded = 1,

    /// <summary>A generated kernel reads rows as they lie in the file.</summary>
    Gemv = 2,

    /// <summary>Plain numbers.</summary>
    Plain = 4,

    /// <summary>No more than 16 bits.</summary>
    Narrow = 8,

    /// <summary>A generated kernel turns 16 rows into lanes as it reads them, and rows and tokens are enough for it.</summary>
    RowLanes = 16,
}

/// <summary>Which kernel a product takes, and why.</summary>
/// <param name="Kernel">The way.</param>
/// <param name="Why">What speaks for it, and which instructions it needs.</param>
/// <param name="Generated">The generated kernel that does most of the work, or null where it is compiled C#.</param>
public sealed record ProductChoice(ProductKernel Kernel, string Why, string? Generated);

/// <summary>Chooses the kernels of products. Thread-safe.</summary>
public static class ProductKernels
{
    // Beyond, decoding rows into panels of bf16 costs less than taking both planes of activations (Zen 4, docs/log.md).
    private const int MostRowLaneTokens = 48;

    // Computed, not measured: with tiles at 700 GMAC/s, decoding rows into panels (0.08 ns a weight, docs/log.md) is the price of 17 tokens in lanes.
    private const int MostRowLaneTokensBesideTiles = 16;

    /// <summary>The choice for one matrix.</summary>
    /// <param name="type">Its format.</param>
    /// <param name="tokens">Rows of activations, from 1.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <param name="level">Instructions that may be used.</param>
    public static ProductChoice For(TensorType type, int tokens, Precision precision, CpuLevel level)
    {
        var kernel = Choose(type, tokens, precision, level);
        return new ProductChoice(kernel, Why(kernel, RowCodesRegistry.Find(type), tokens, precision, level), Generated(kernel, type, tokens)?.Name);
    }

    /// <summary>The choice alone, without writing a kernel.</summary>
    /// <inheritdoc cref="For" path="/param"/>
    public static ProductKernel Choose(TensorType type, int tokens, Precision precision, CpuLevel level) =>
        Choose(Traits(type, RowCodesRegistry.Find(type), RowLaneWriter.Rows, tokens), tokens, precision, Allowed(level));

    /// <summary>The machine code of a generated kernel as text; writes the kernel, and those before it in the list, where no product has needed it so far.</summary>
    /// <param name="name">As <see cref="ProductChoice.Generated"/> gives it, or with another number of tokens.</param>
    /// <returns>Null where there is no such kernel, or none can be generated here.</returns>
    public static string? Listing(string name) =>
        MayGenerate(CpuFeatures.Current.Highest) ? All().FirstOrDefault(kernel => kernel.Name == name)?.Listing() : null;

    /// <summary>The choice for a matrix that is there.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="tokens">Rows of activations.</param>
    /// <param name="precision">Whether activations may be rounded.</param>
    /// <param name="allowed">As <see cref="Allowed"/> gives it.</param>
    internal static ProductKernel Choose(Matrix weights, int tokens, Precision precision, CpuLevel allowed) =>
        Choose(Traits(weights.Type, weights.Codes, weights.Rows, tokens), tokens, precision, allowed);

    private static ProductKernel Choose(WeightTraits traits, int tokens, Precision precision, CpuLevel allowed)
    {
        if (precision == Precision.Exact)
            return ProductKernel.FloatRows;
        var generated = allowed >= CpuLevel.Avx512;
        if (allowed >= CpuLevel.Amx && precision == Precision.Fast && (traits & WeightTraits.Narrow) != 0 && tokens > MostRowLaneTokensBesideTiles)
            return ProductKernel.TileGemm;
        var bf16 = generated && precision == Precision.Fast && (traits & WeightTraits.Narrow) != 0;
        if ((traits & WeightTraits.Coded) != 0)
        {
            if (generated && (traits & WeightTraits.RowLanes) != 0)
                return ProductKernel.RowLanes;
            var batches = bf16 && Bf16Speed.EqualsIntegers;
            if (generated && tokens <= GemvJob.MostTokens && (traits & WeightTraits.Gemv) != 0)
                return ProductKernel.Gemv;
            if (tokens <= CodedRows.MostTokens)
                return ProductKernel.CodedRows;
            if (batches)
                return tokens <= Bf16BatchJob.MostTokens ? ProductKernel.Bf16Batch : ProductKernel.Bf16Gemm;
            return generated ? ProductKernel.Gemm : ProductKernel.FloatRows;
        }
        if (generated && tokens > FloatGemvKernel.MostTokens)
        {
            if (!bf16 || !Bf16Speed.BeatsFloats)
                return ProductKernel.FloatGemm;
            return tokens <= Bf16BatchJob.MostTokens ? ProductKernel.Bf16Batch : ProductKernel.Bf16Gemm;
        }
        return generated && (traits & WeightTraits.Plain) != 0 ? ProductKernel.FloatGemv : ProductKernel.FloatRows;
    }

    private static WeightTraits Traits(TensorType type, RowCodes? codes, int rows, int tokens) =>
        (codes is null ? 0 : WeightTraits.Coded)
        | (codes?.RowLanes is { } lanes && rows >= RowLaneWriter.Rows && tokens >= lanes.FewestTokens && tokens <= MostRowLaneTokens ? WeightTraits.RowLanes : 0)
        | (codes?.Gemv is null ? 0 : WeightTraits.Gemv)
        | (FloatGemvKernel.Has(type) ? WeightTraits.Plain : 0)
        | (codes is not null || type is TensorType.F16 or TensorType.BF16 ? WeightTraits.Narrow : 0);

    /// <summary>The level as far as kernels may be generated for it: where the system forbids that, none above AVX2 is left.</summary>
    internal static CpuLevel Allowed(CpuLevel level) => level >= CpuLevel.Avx512 && GeneratedKernels.Refusal is not null ? CpuLevel.Avx2 : level;

    internal static bool MayGenerate(CpuLevel level) => Allowed(level) >= CpuLevel.Avx512;

    private static GeneratedKernel? Generated(ProductKernel kernel, TensorType type, int tokens) => kernel switch
    {
        ProductKernel.Gemv => GemvKernels.Get(type, GemvJob.TokensOfKernel(tokens)),
        ProductKernel.RowLanes => RowLaneKernels.Get(type, RowLaneJob.TokensOfKernel(tokens)),
        ProductKernel.Gemm => GemmOf(RowCodesRegistry.Find(type)!, Math.Min(tokens, GemmKernel.MostTokens)),
        ProductKernel.FloatGemv => FloatGemvKernel.Get(type, tokens),
        ProductKernel.FloatGemm or ProductKernel.Bf16Gemm =>
            FloatGemmKernel.Get(kernel == ProductKernel.Bf16Gemm, FloatGemmKernel.MostPanels, Math.Min(tokens, FloatGemmKernel.MostTokens)),
        ProductKernel.TileGemm => TileKernel.Get(TileKernel.Most, TileKernel.Most),
        ProductKernel.Bf16Batch => Bf16BatchKernel.Get((tokens + Bf16BatchKernel.Lanes - 1) / Bf16BatchKernel.Lanes),
        _ => null,
    };

    private static GeneratedKernel GemmOf(RowCodes codes, int tokens) =>
        GemmKernel.Get(new PanelLayout(codes.Group, codes.HasMins), GemmKernel.PanelsFor(tokens), tokens);

    private static string Why(ProductKernel kernel, RowCodes? codes, int tokens, Precision precision, CpuLevel level) => kernel switch
    {
        ProductKernel.Gemv => "few tokens, bound by memory: rows as they lie in the file; AVX-512 VNNI and VBMI",
        ProductKernel.RowLanes => "few tokens, bound by memory and arithmetic: 16 rows at a time, a scale for 16 lanes; AVX-512 VNNI and VBMI",
        ProductKernel.Gemm => "many tokens, bound by arithmetic: rows packed into panels; AVX-512 VNNI",
        ProductKernel.FloatGemv => "few tokens, bound by memory: rows as they lie in the file; AVX-512 F",
        ProductKernel.FloatGemm => "many tokens, bound by arithmetic: rows decoded into panels of F32; AVX-512 F",
        ProductKernel.Bf16Gemm => "many tokens, bound by arithmetic: rows decoded into panels of bf16, as fast here as 16-bit integers; AVX-512 BF16",
        ProductKernel.TileGemm => "many tokens, bound by arithmetic: rows decoded into panels of bf16; AMX",
        ProductKernel.Bf16Batch => "some tokens: a few rows at a time decoded to bf16, tokens in lanes; AVX-512 BF16",
        ProductKernel.CodedRows => $"few tokens: rows taken apart in cache, 16-bit multiply-adds of {Lower(level)}; {NotGenerated(level) ?? $"no kernel reads {codes!.Type} as it lies in the file"}",
        _ when precision == Precision.Exact => $"--exact: rows decoded to F32, activations as they are; F32 of {Lower(level)}",
        _ => $"{(tokens > 1 ? "rows decoded to F32 once for all tokens" : "rows decoded to F32")}; F32 of {Lower(level)}; {NotGenerated(level) ?? "no small integers in this format"}",
    };

    private static string? NotGenerated(CpuLevel level) =>
        level < CpuLevel.Avx512 ? "generated kernels need AVX-512 with VNNI" : GeneratedKernels.Refusal;

    private static string Lower(CpuLevel level) => Enum.GetName(level)!.ToLowerInvariant();

    private static IEnumerable<GeneratedKernel> All()
    {
        for (var tokens = 1; tokens <= GemvWriter.MostTokens; tokens++)
        {
            foreach (var codes in RowCodesRegistry.All.Where(codes => codes.Gemv is not null))
                yield return GemvKernels.Get(codes.Type, tokens);
        }
        for (var tokens = 1; tokens <= RowLaneWriter.MostTokens; tokens++)
        {
            foreach (var codes in RowCodesRegistry.All.Where(codes => codes.RowLanes is not null))
                yield return RowLaneKernels.Get(codes.Type, tokens);
        }
        foreach (var type in Enum.GetValues<TensorType>().Where(FloatGemvKernel.Has))
        {
            for (var tokens = 1; tokens <= FloatGemvKernel.MostTokens; tokens++)
                yield return FloatGemvKernel.Get(type, tokens);
        }
        for (var tokens = 1; tokens <= GemmKernel.MostTokens; tokens++)
        {
            foreach (var codes in RowCodesRegistry.All.DistinctBy(codes => (codes.Group, codes.HasMins)))
                yield return GemmOf(codes, tokens);
            yield return FloatGemmKernel.Get(false, FloatGemmKernel.MostPanels, tokens);
            if (CpuFeatures.Current.Bf16)
                yield return FloatGemmKernel.Get(true, FloatGemmKernel.MostPanels, tokens);
        }
        for (var vectors = 1; vectors <= Bf16BatchKernel.MostVectors && CpuFeatures.Current.Bf16; vectors++)
            yield return Bf16BatchKernel.Get(vectors);
        for (var number = 0; number < TileKernel.Most * TileKernel.Most; number++)
            yield return TileKernel.Get(number / TileKernel.Most + 1, number % TileKernel.Most + 1);
    }
}
