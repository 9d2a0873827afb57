using Iced.Intel;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>Masking with a register that is not known by name.</summary>
internal static class MaskedRegisters
{
    /// <summary>The register under a mask.</summary>
    public static AssemblerRegisterZMM k(this AssemblerRegisterZMM register, AssemblerRegisterK mask) => mask.Value switch
    {
        Register.K1 => register.k1,
        Register.K2 => register.k2,
        Register.K3 => register.k3,
        Register.K4 => register.k4,
        Register.K5 => register.k5,
        Register.K6 => register.k6,
        _ => register.k7,
    };
}
