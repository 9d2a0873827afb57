using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace OpenHearth.Kernels.CodeGen;

/// <summary>Loops of nothing but one multiply-add on registers: what a core can do at most.</summary>
internal static class PeakKernel
{
    private const int Registers = 24;

    /// <summary>Multiply-adds of an instruction times instructions of a round.</summary>
    public static int IntegerMacs => 64 * Registers;

    /// <summary>Multiply-adds of an instruction times instructions of a round.</summary>
    public static int Bf16Macs => 32 * Registers;

    /// <summary>Multiply-adds of an instruction times instructions of a round.</summary>
    public static int FloatMacs => 16 * Registers;

    /// <summary>VNNI on bytes; its argument points to the number of rounds.</summary>
    public static GeneratedKernel Integer { get; } = Write("peak of VNNI", (a, sum, b, c) => a.vpdpbusd(sum, b, c));

    /// <summary>Dot products of bf16; its argument points to the number of rounds.</summary>
    public static GeneratedKernel Bf16 { get; } = Write("peak of bf16", (a, sum, b, c) => a.vdpbf16ps(sum, b, c));

    /// <summary>F32; its argument points to the number of rounds.</summary>
    public static GeneratedKernel Float { get; } = Write("peak of F32", (a, sum, b, c) => a.vfmadd231ps(sum, b, c));

    private static GeneratedKernel Write(string name, Action<Assembler, AssemblerRegisterZMM, AssemblerRegisterZMM, AssemblerRegisterZMM> multiply)
    {
        var b = new KernelBuilder();
        var a = b.Asm;
        var sums = b.Vectors("sum", Registers);
        var (x, y) = (b.Vector("x"), b.Vector("y"));
        a.mov(rcx, __[rdi]);
        foreach (var register in sums.Append(x).Append(y))
            a.vpxord(register, register, register);
        var loop = a.CreateLabel();
        a.Label(ref loop);
        foreach (var sum in sums)
            multiply(a, sum, x, y);
        a.dec(rcx);
        a.jne(loop);
        return b.Build(name);
    }
}
