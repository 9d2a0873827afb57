using System.Runtime.InteropServices;
using Iced.Intel;
using OpenHearth.Kernels.CodeGen;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.MatMul.Gemm;

/// <summary>
/// The product of a few panels with a tile of tokens: rows in lanes, one accumulator for each panel and token.
/// A group's sum is taken twice with VNNI, over the upper bytes of the activations and, after moving it up by eight bits,
/// over the lower ones; so it is the exact integer. Then it is scaled and added to the tile's F32 sums.
/// </summary>
internal static class GemmKernel
{
    /// <summary>Most tokens of a tile.</summary>
    public const int MostTokens = 12;

    /// <summary>Accumulators that fit beside everything else: twice what hides the latency of VNNI.</summary>
    private const int Accumulators = 24;

    private const int MostPanels = 4;

    private static readonly KernelTable Kernels = new(4 * MostPanels * MostTokens, number =>
    {
        var (rest, tokens) = Math.DivRem(number, MostTokens);
        var (layout, panels) = Math.DivRem(rest, MostPanels);
        return Write(new PanelLayout(layout / 2 == 0 ? 16 : 32, layout % 2 != 0), panels + 1, tokens + 1);
    });

    /// <summary>Panels that a kernel takes at once beside so many tokens.</summary>
    public static int PanelsFor(int tokens) => tokens > Accumulators / MostPanels ? 2 : MostPanels;

    /// <summary>The kernel for this processor.</summary>
    /// <param name="layout">The panels' layout.</param>
    /// <param name="panels">1 to <see cref="PanelsFor"/>.</param>
    /// <param name="tokens">1 to <see cref="MostTokens"/>.</param>
    public static GeneratedKernel Get(PanelLayout layout, int panels, int tokens) =>
        Kernels[(((layout.Group == 16 ? 0 : 2) + (layout.HasMins ? 1 : 0)) * MostPanels + panels - 1) * MostTokens + tokens - 1];

    /// <summary>What a kernel reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Arguments
    {
        public byte* Panels;
        public long PanelBytes; // from one panel to the next
        public byte* Tile;
        public float* Sums; // [groups][tokens] for each step; read only where there are minimums
        public float* Results; // [tokens][panels][16], overwritten
        public long Steps;
    }

    private static GeneratedKernel Write(PanelLayout layout, int panels, int tokens)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var (panel, stride, stride3, tile, sums, results, steps) = (rsi, r8, r9, rdx, rcx, rax, r10);
        a.mov(panel, __[rdi]);
        a.mov(stride, __[rdi + 8]);
        a.lea(stride3, __[stride + stride * 2]);
        a.mov(tile, __[rdi + 16]);
        a.mov(sums, __[rdi + 24]);
        a.mov(results, __[rdi + 32]);
        a.mov(steps, __[rdi + 40]);

        var accumulators = b.Vectors("sum", panels * tokens);
        var weights = b.Vectors("weights", panels);
        var activation = b.Vector("activation");
        var zero = activation;
        a.vpxord(zero, zero, zero);
        for (var i = 0; i < panels * tokens; i++)
            a.vmovaps(__zmmword_ptr[results + 64 * i], zero);

        AssemblerMemoryOperand Panel(int p, int offset) => p switch
        {
            0 => __zmmword_ptr[panel + offset],
            1 => __zmmword_ptr[panel + stride + offset],
            2 => __zmmword_ptr[panel + stride * 2 + offset],
            _ => __zmmword_ptr[panel + stride3 + offset],
        };

        void Plane(int plane, int firstFour, int fours)
        {
            for (var four = firstFour; four < firstFour + fours; four++)
            {
                for (var p = 0; p < panels; p++)
                    a.vmovdqa64(weights[p], Panel(p, 64 * four));
                for (var t = 0; t < tokens; t++)
                {
                    a.vpbroadcastd(activation, __dword_ptr[tile + ((plane * 8 + four) * tokens + t) * 4]);
                    for (var p = 0; p < panels; p++)
                        a.vpdpbusd(accumulators[t * panels + p], activation, weights[p]);
                }
            }
        }

        var loop = a.CreateLabel();
        a.Label(ref loop);
        var fours = layout.Group / 4;
        for (var g = 0; g < layout.Groups; g++)
        {
            for (var p = 0; p < panels; p++)
            {
                a.vmovdqa64(accumulators[p], Panel(p, PanelLayout.Offsets(g)));
                for (var t = 1; t < tokens; t++)
                    a.vmovdqa64(accumulators[t * panels + p], accumulators[p]);
            }
            Plane(0, g * fours, fours);
            foreach (var accumulator in accumulators)
                a.vpslld(accumulator, accumulator, 8);
            Plane(1, g * fours, fours);

            for (var p = 0; p < panels; p++)
                a.vmovaps(weights[p], Panel(p, layout.Scales(g)));
            for (var t = 0; t < tokens; t++)
            {
                for (var p = 0; p < panels; p++)
                {
                    var (accumulator, result) = (accumulators[t * panels + p], results + 64 * (t * panels + p));
                    a.vcvtdq2ps(accumulator, accumulator);
                    a.vfmadd213ps(accumulator, weights[p], __zmmword_ptr[result]);
                    if (layout.HasMins)
                    {
                        a.vmovaps(activation, Panel(p, layout.Mins(g)));
                        a.vfmadd231ps(accumulator, activation, __dword_bcst[sums + (g * tokens + t) * 4]);
                    }
                    a.vmovaps(__zmmword_ptr[result], accumulator);
                }
            }
        }
        a.add(panel, layout.StepBytes);
        a.add(tile, 64 * tokens);
        if (layout.HasMins)
            a.add(sums, layout.Groups * tokens * 4);
        a.dec(steps);
        a.jne(loop);
        return b.Build($"gemm {panels * PanelLayout.Rows} rows × {tokens} tokens, groups of {layout.Group}{(layout.HasMins ? " with minimums" : "")}");
    }
}
