using Iced.Intel;

namespace OpenHearth.Kernels.MatMul.Gemv;

/// <summary>A vector register of a format that each of the rows multiplied together has one of: it stands for that of the row being written.</summary>
internal sealed class GemvRegister(GemvWriter writer, AssemblerRegisterZMM[] registers)
{
    public static implicit operator AssemblerRegisterZMM(GemvRegister register) => register.OfRow();

    /// <summary>The register under a mask.</summary>
    public AssemblerRegisterZMM k(AssemblerRegisterK mask) => OfRow().k(mask);

    private AssemblerRegisterZMM OfRow() => registers[writer.Row];
}

/// <summary>What a format gives the writer of a row's step: codes and their scales, or without codes the factors of sums of activations.</summary>
/// <param name="Scale">Scale of each lane's codes; null where more of them follow.</param>
/// <param name="Parts">Vectors of codes with their place in <see cref="GemvCode.Order"/>.</param>
internal readonly record struct GemvProduct(AssemblerRegisterZMM? Scale, (AssemblerRegisterZMM Codes, int Part)[] Parts);
