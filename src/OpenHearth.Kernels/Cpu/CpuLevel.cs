namespace OpenHearth.Kernels.Cpu;

/// <summary>Sets of instructions that kernels are written for, each holding those before it.</summary>
public enum CpuLevel
{
    /// <summary>One value at a time; on every processor, and the reference for all others.</summary>
    Scalar,

    /// <summary>Whatever vectors .NET knows on this processor (SSE, Neon), without relying on any instruction.</summary>
    Vector,

    /// <summary>x64 with AVX2 and FMA.</summary>
    Avx2,

    /// <summary>x64 with AVX-512 F, BW, DQ, VL, VBMI and VNNI, and GFNI, as on Ice Lake, Zen 4 and their successors.</summary>
    Avx512,

    /// <summary><see cref="Avx512"/> with dot products of bf16, in vectors and in AMX's tiles.</summary>
    Amx,
}
